"""`status` and `log`: what runs, and what was released. They change nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from habanero_py import events as e
from habanero_py.compose import changed
from habanero_py.pipeline import Pusher
from habanero_py.releases import Past
from habanero_py.remote import ServerState
from habanero_py.session import Session
from habanero_receiver.errors import OUT_OF_STEP


def status(session: Session) -> int:
    """What every worker runs; exit code 6 when they are not in step."""
    _view, state = session.pusher.refresh()
    session.emit(status_event(session.pusher, state))
    return 0 if state.in_step else OUT_OF_STEP


def status_event(pusher: Pusher, state: ServerState) -> e.Status:
    """The state as an event; the head's release is read for what it restored."""
    past = pusher.releases.past(state.head) if state.head.seq else None
    app, _, environment = state.target.partition("#")[0].partition("/")
    return e.Status(
        app=app,
        environment=environment,
        target=state.target,
        base=state.base,
        head=state.head.seq,
        author=past.statement.author if past else None,
        issued=past.statement.issued.isoformat() if past else None,
        in_step=state.in_step,
        machines=state.machines,
        same_code_as=past.statement.restores if past else None,
        now=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def log(session: Session, limit: int) -> int:
    """The newest releases over this base, newest first."""
    view, _ = session.pusher.refresh()
    releases = session.pusher.releases
    newest = releases.load(after=max(0, view.head.seq - limit - 1), upto=view.head.seq)
    if not newest:
        session.emit(e.Notice("nothing was pushed over this base yet: the server runs it as deployed"))
        return 0
    by_seq = {past.seq: past for past in newest}
    for past in reversed(newest[-limit:]):
        before = releases.overlay(by_seq[past.seq - 1]) if past.seq - 1 in by_seq else {}
        session.emit(log_entry(past, changed(releases.overlay(past), before), running=past.seq == view.head.seq))
    return 0


def log_entry(past: Past, modules: tuple[str, ...], *, running: bool) -> e.LogEntry:
    """One release; `modules` are those that it changed."""
    statement = past.statement
    return e.LogEntry(
        push=past.seq,
        kind=statement.kind,
        issued=statement.issued.isoformat(),
        author=statement.author,
        modules=modules,
        git=statement.git,
        gate=statement.gate.command if statement.gate else None,
        restores=statement.restores,
        running=running,
    )

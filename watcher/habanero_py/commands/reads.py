"""`status`: what runs. It changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from habanero_py import events as e
from habanero_py.compose import View
from habanero_py.deployed import compare
from habanero_py.pipeline import Pusher
from habanero_py.remote import ServerState
from habanero_py.session import Session
from habanero_receiver.errors import OUT_OF_STEP, HabaneroError

LOOK_AGAIN_S = 0.5


def status(session: Session) -> int:
    """What every worker runs; exit code 6 when they are not in step."""
    view, state = session.pusher.refresh()
    event = status_event(session.pusher, state)
    if not state.head.seq:
        event = replace(event, deployed=_deployed(session, view))
    session.emit(event)
    return 0 if state.in_step else OUT_OF_STEP


def _deployed(session: Session, view: View) -> e.Deployed | None:
    """What the deployment did to the releases before it. Nothing where the server, an older one, cannot tell."""
    try:
        previous = session.server.previous()
    except HabaneroError as error:
        if error.code in ("unreachable", "unauthorized"):
            raise
        return None
    return None if previous is None else compare(previous, view.base)


def wait_in_step(session: Session, sleep: Callable[[float], None] = time.sleep) -> int:
    """Looks until every worker runs the head, and tells each change on the way; 0.

    A server that does not answer for a while (it may be restarting) is told once and asked again.
    """
    said: e.Status | None = None
    away = False
    while True:
        try:
            _view, state = session.pusher.refresh()
        except HabaneroError as error:
            if error.code != "unreachable":
                raise
            if not away:
                session.emit(e.Notice(error.message, help="it is asked again until it answers; Ctrl-C ends this"))
            away = True
        else:
            event, away = status_event(session.pusher, state), False
            if state.in_step:
                session.emit(event)
                return 0
            if said is None or replace(event, now=said.now) != said:
                said = event
                session.emit(replace(event, waiting=True))
        sleep(LOOK_AGAIN_S)


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
        withdrawn=state.withdrawn,
        same_code_as=past.statement.restores if past else None,
        now=datetime.now(UTC).isoformat(timespec="seconds"),
        frozen=state.head.frozen,
        reason=past.statement.reason if past else None,
        trusted=state.head.trusted,
    )

"""`log`, `show` and `diff`: what was released over the base that is deployed. They change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from habanero_py import events as e
from habanero_py import versions
from habanero_py.compose import View
from habanero_py.releases import Past, Releases
from habanero_py.session import Session
from habanero_receiver.errors import ConflictError

DIRTY = "+dirty"


def log(session: Session, limit: int) -> int:
    """The newest releases over this base, newest first."""
    view, _ = session.pusher.refresh()
    releases = session.pusher.releases
    newest = releases.load(after=max(0, view.head.seq - limit - 1), upto=view.head.seq, details=True)
    if not newest:
        session.emit(e.Notice("nothing was pushed over this base yet: the server runs it as deployed"))
        return 0
    by_seq = {past.seq: past for past in newest}
    for past in reversed(newest[-limit:]):
        session.emit(entry(past, releases, _changed(past, by_seq, releases), running=past.seq == view.running))
    return 0


def _changed(past: Past, by_seq: Mapping[int, Past], releases: Releases) -> tuple[str, ...] | None:
    """The modules that a release changed; None when its manifest, or the one before, was pruned."""
    try:
        return releases.changed(past, by_seq.get(past.seq - 1))
    except ConflictError as error:
        if error.code != "pruned":
            raise
        return None


def entry(past: Past, releases: Releases, modules: tuple[str, ...] | None, *, running: bool) -> e.LogEntry:
    """One release; `modules` are those that it changed."""
    statement, gate = past.statement, past.statement.gate
    git = statement.git
    return e.LogEntry(
        push=past.seq,
        kind=statement.kind,
        issued=statement.issued.isoformat(),
        author=statement.author,
        modules=modules,
        git=git.removesuffix(DIRTY) if git else None,
        dirty=git.endswith(DIRTY) if git else None,
        gate=gate.command if gate else None,
        gate_exit=gate.exit if gate else None,
        gate_summary=gate.summary if gate else None,
        restores=statement.restores,
        reason=statement.reason,
        confirmed=releases.confirmed(past),
        withdrawn=releases.withdrawn(past),
        running=running,
    )


def show(session: Session, number: int) -> int:
    """All of one release: what it says, who signed it, each module of it and what that was before."""
    view, _ = session.pusher.refresh()
    releases = session.pusher.releases
    if number == 0:
        session.emit(_base(view))
        return 0
    releases.load(after=max(0, number - 2), upto=min(number, view.head.seq), details=True)
    past = releases.number(number)
    before = _code_before(view, releases, number)
    modules = _modules(view, releases, number, before)
    differing = None if before is None else tuple(module.module for module in modules if module.change)
    statement = past.statement
    session.emit(
        e.Shown(
            entry=entry(past, releases, differing, running=number == view.running),
            digest=past.digest,
            prev=statement.prev,
            base=statement.base,
            manifest=statement.manifest_digest,
            python=str(statement.python),
            accept_until=statement.accept_until.isoformat(),
            keyids=past.keyids,
            modules=modules,
            now=datetime.now(UTC).isoformat(),
        )
    )
    return 0


def _code_before(view: View, releases: Releases, number: int) -> versions.Code | None:
    """The code of the release before; None when it was pruned: what changed is not known then."""
    try:
        return versions.release_code(view, releases, number - 1)
    except ConflictError as error:
        if error.code != "pruned":
            raise
        return None


def _modules(
    view: View, releases: Releases, number: int, before: versions.Code | None
) -> tuple[e.ShownModule, ...]:
    """What the release puts over the base, and what it changed against the release before."""
    code = versions.release_code(view, releases, number)
    overlay = releases.overlay(releases.number(number))
    changes = () if before is None else versions.changes(before, code)
    differing = {name: (old, new) for name, old, new in changes}
    shown = []
    for name in sorted(overlay.keys() | differing.keys()):
        old, new = differing.get(name, ((before or {}).get(name), code.get(name)))
        shown.append(
            e.ShownModule(
                module=name,
                change=versions.word(old, new) if name in differing else "",
                source=new.sha256 if new else None,
                before=old.sha256 if old else None,
                size=new.size if new else None,
                overlay=name in overlay,
            )
        )
    return tuple(shown)


def _base(view: View) -> e.ShownBase:
    modules = {name: module.sha256 for name, module in sorted(view.base.items())}
    return e.ShownBase(base=view.base_digest, modules=modules)


def diff(session: Session, number: int, other: int | None) -> int:
    """What lies between two releases, 0 being the base; of one alone, what it changed against the one before."""
    view, _ = session.pusher.refresh()
    releases = session.pusher.releases
    old, new = (max(0, number - 1), number) if other is None else (number, other)
    before, after = (versions.release_code(view, releases, seq) for seq in (old, new))
    found = show_changes(session, before, after, _name(old), _name(new))
    if not found:
        session.emit(e.Notice(f"{_name(old)} and {_name(new)} are the same code"))
    return 0


def show_changes(session: Session, before: versions.Code, after: versions.Code, old: str, new: str) -> int:
    """Tells each module that differs, with its diff; how many there were."""
    server, releases = session.server, session.pusher.releases
    found = list(versions.changes(before, after))
    for name, was, now in found:
        text = versions.unified(
            versions.read(server, releases, was),
            versions.read(server, releases, now),
            f"{old}/{was.path}" if was else "/dev/null",
            f"{new}/{now.path}" if now else "/dev/null",
        )
        session.emit(e.ModuleDiff(name, old, new, versions.word(was, now), text))
    return len(found)


def _name(seq: int) -> str:
    return f"#{seq}" if seq else "base"

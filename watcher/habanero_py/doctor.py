"""`doctor`: looks at everything that a push needs, one thing after the other, and says what to do.

It changes nothing anywhere. Each check is a function from what is known so far to one event; a check that cannot be
made because an earlier one failed is left out. The rule it upholds: a green doctor means that a push gets as far as
the gate and the swap.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from habanero_py import events as e
from habanero_py.codes import exit_code
from habanero_py.gate import find_command, scrubbed
from habanero_py.interpreter import find_python
from habanero_py.remote import ServerState
from habanero_py.render.text import count
from habanero_py.session import Session
from habanero_receiver.errors import HabaneroError

MAX_SKEW_S = 30.0


def examine(session: Session) -> int:
    """Shows every check; 0 when all are well, else the exit code of the first problem."""
    worst = 0
    for check, code in checks(session):
        session.emit(check)
        worst = worst or (0 if check.ok else code)
    return worst


def checks(session: Session) -> Iterator[tuple[e.Check, int]]:
    """Every check with the exit code that it has when it fails."""
    yield _ok("config", _origins(session))
    yield _ok("key", f"{session.config.to.key}  {session.signer.public.keyid}  as {session.author}")
    yield _try("sources", lambda: _sources(session))
    yield _try("gate", lambda: _gate(session))
    try:
        state = session.server.state()
    except HabaneroError as error:
        yield _failed("server", error)
        return
    yield _ok("server", f"{session.config.to.url} answers and trusts the key")
    yield _try("roles", lambda: _roles(session))
    yield _try("clock", lambda: _clock(session))
    yield _try("target", lambda: _target(session, state))
    yield _try("python", lambda: f"{find_python(state.python)} builds for {state.python}")
    yield _try("modules", lambda: _allowed(session, state))
    yield _try("bucket", lambda: _bucket(session))
    yield _try("workers", lambda: _workers(state))


def _ok(name: str, text: str) -> tuple[e.Check, int]:
    return e.Check(name, ok=True, text=text), 0


def _failed(name: str, error: HabaneroError) -> tuple[e.Check, int]:
    return e.Check(name, ok=False, text=f"{error.message} [{error.code}]", help=error.help or None), exit_code(error)


def _try(name: str, look: Callable[[], str]) -> tuple[e.Check, int]:
    try:
        return _ok(name, look())
    except HabaneroError as error:
        return _failed(name, error)


def _origins(session: Session) -> str:
    """Where each setting came from, the settings of one place together."""
    places: dict[str, list[str]] = {}
    for name, origin in session.config.origins.items():
        places.setdefault(origin, []).append(name)
    return f"target {session.config.to.name}; " + "; ".join(
        f"{', '.join(settings)}: {place}" for place, settings in places.items()
    )


def _sources(session: Session) -> str:
    return f"{count(len(session.sources.scan().modules), 'module')} in {', '.join(session.sources.project.places())}"


def _gate(session: Session) -> str:
    gate = session.config.gate
    if not gate:
        return "none: what is saved goes live untested"
    program = find_command(gate, session.config.root, scrubbed(os.environ))
    return f"{' '.join(gate)}  ({program}, at most {session.config.gate_timeout_s:g} s)"


def _roles(session: Session) -> str:
    try:
        keys = session.server.keys()
    except HabaneroError as error:
        if error.code != "needs-endpoint":
            raise
        return "not told by servers without an endpoint; each of them judges what it follows"
    may = next((row.roles for row in keys.keys if row.keyid == session.signer.public.keyid), ())
    if "push" not in may:
        raise HabaneroError(
            "role-missing",
            f"your key may {', '.join(may) or 'nothing'} at {keys.target.partition('#')[0]}, and not push",
            help="habanero-py keys shows who may; the server's operator gives roles in HABANERO_ROLES",
        )
    others = f"; {keys.threshold} people sign a release" if keys.threshold > 1 else ""
    return f"your key may {', '.join(may)}{others}"


def _clock(session: Session) -> str:
    skew = session.server.clock_skew_s
    if skew is None:
        return "the server tells no time"
    if abs(skew) > MAX_SKEW_S:
        raise HabaneroError(
            "clock-skew",
            f"the server's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's",
            help="set both by NTP; a signature from the future, or an old one, is refused",
        )
    return f"within {abs(skew):.0f} s of the server's"


def _target(session: Session, state: ServerState) -> str:
    session.pusher.releases.view(session.config.to.target, state)
    return state.target


def _allowed(session: Session, state: ServerState) -> str:
    watched = session.sources.project.top_level
    missing = [name for name in watched if name not in state.modules]
    if missing:
        raise HabaneroError(
            "module-not-allowed",
            f"the server takes {', '.join(state.modules) or 'nothing'}, not {', '.join(missing)}",
            subject=missing[0],
            help=f"on the server: HABANERO_MODULES={','.join([*state.modules, *missing])}",
        )
    return f"the server takes {', '.join(state.modules)}"


def _bucket(session: Session) -> str:
    view, state = session.pusher.refresh()
    if not state.head.seq:
        return f"nothing pushed yet over base {state.base[:19]}"
    return f"the head is #{state.head.seq}; its manifest of {count(len(view.overlay), 'module')} can be read"


def _workers(state: ServerState) -> str:
    if not state.in_step:
        raise HabaneroError(
            "out-of-step",
            f"not all of {state.workers} workers run #{state.head.seq}",
            help="habanero-py status shows which; a restart of them applies it",
        )
    return f"{count(state.workers, 'worker')} on {count(len(state.machines), 'machine')}, in step"

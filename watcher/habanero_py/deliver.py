"""Gets one signed release to the server and finds out what became of it.

The rule it upholds: an outcome that nobody knows is looked up before it is called a success or a failure. The same
bytes may safely be sent again, because the server takes a release that is its head already as done, and any other
release with that number as out of order.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from habanero_py.compose import Release
from habanero_py.remote import PushAnswer, ServerState
from habanero_py.server import Server
from habanero_receiver.errors import ConflictError, HabaneroError, StoreError

LOOK_UP_TIMEOUT_S = 15.0
LOOK_UP_PAUSE_S = 0.25


def deliver(server: Server, release: Release, *, sleep: Callable[[float], None] = time.sleep) -> PushAnswer:
    """Sends it. Raises what the server says; `outcome-unknown` only when the server stays silent."""
    try:
        return server.push(release.content)
    except HabaneroError as lost:
        if lost.code != "outcome-unknown":
            raise
    if (answer := _look_up(server, release, sleep)) is not None:
        return answer
    try:
        return server.push(release.content)
    except HabaneroError as lost:
        if lost.code not in ("outcome-unknown", "unreachable"):
            raise
    if (answer := _look_up(server, release, sleep)) is not None:
        return answer
    raise StoreError(
        "push-lost",
        f"the connection broke twice while #{release.statement.seq} was sent; the server has not recorded it",
        subject=server.url,
        help=f"push again; this one can be recorded until {release.statement.accept_until:%H:%M:%S} UTC at the latest",
    )


def _look_up(server: Server, release: Release, sleep: Callable[[float], None]) -> PushAnswer | None:
    """The answer that was lost, or None when the release is not the head (yet)."""
    state = _state(server, release, sleep)
    seq = release.statement.seq
    if state.head.digest == release.digest:
        return PushAnswer(
            seq=seq,
            digest=release.digest,
            already_applied=True,
            modules=(),
            machines=state.machines,
            in_step=state.in_step,
        )
    if state.base != release.statement.base:
        raise ConflictError(
            "base-mismatch",
            f"the server was deployed anew while #{seq} was sent; the release was for the code before and is not live",
            subject=state.base,
            help="push again: the difference is then taken from the new deployment",
        )
    if state.head.seq >= seq:
        raise ConflictError("not-next", f"another release became #{seq}; this one did not", subject=f"#{seq}")
    return None


def _state(server: Server, release: Release, sleep: Callable[[float], None]) -> ServerState:
    deadline = time.monotonic() + LOOK_UP_TIMEOUT_S
    while True:
        try:
            return server.state()
        except HabaneroError as error:
            if error.code != "unreachable":
                raise
            if time.monotonic() > deadline:
                raise StoreError(
                    "outcome-unknown",
                    f"#{release.statement.seq} was sent, the connection broke, and {server.url} does not answer",
                    subject=server.url,
                    help="habanero-py status tells what runs, as soon as the server answers",
                ) from error
        sleep(LOOK_UP_PAUSE_S)

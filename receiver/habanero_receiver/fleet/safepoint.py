"""Where a commit may run: on the event loop of an ASGI app under its hold, or right here where there is no loop.

What it does not: it decides nothing and catches nothing; what the commit raises comes out of `run`.

The rule it upholds: a commit that its caller has given up on does not run later. A caller that waited too long
takes the commit back before it raises.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from habanero_receiver.errors import SwapError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from habanero_receiver.hold import Hold

T = TypeVar("T")

WAIT_S = 5.0


class Safepoint(Protocol):
    """Runs a commit where no request can see half of it. Called from a thread that is not the loop's."""

    def run(self, commit: Callable[[], T]) -> T:
        """Run `commit` and give back what it returns or raises; SwapError "no-safe-point" if it could not begin."""
        ...


class HereSafepoint:
    """For programs without an event loop: the calling thread commits."""

    def run(self, commit: Callable[[], T]) -> T:
        """Run `commit` at once."""
        return commit()


class LoopSafepoint:
    """For ASGI apps: the event loop commits, with the hold shut."""

    def __init__(self, loop: asyncio.AbstractEventLoop, hold: Hold, *, wait_s: float = WAIT_S) -> None:
        self._loop = loop
        self._hold = hold
        self._wait_s = wait_s

    def run(self, commit: Callable[[], T]) -> T:
        """Run `commit` on the loop; SwapError "no-safe-point" when the loop is closed or too busy to begin."""
        claim = _Claim(commit)
        future = self._send(self._hold.quietly(claim.run))
        try:
            return future.result(self._wait_s)
        except (TimeoutError, CancelledError):
            if future.done() and not future.cancelled():
                return future.result()
            if claim.withdraw():
                future.cancel()
                raise _no_safe_point(f"the event loop did not get to the commit within {self._wait_s:g} s") from None
            return future.result()

    def _send(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            coroutine.close()
            raise _no_safe_point("the event loop is closed") from None


class _Claim(Generic[T]):
    """A commit that either runs or is withdrawn, never both: the two sides are on different threads."""

    def __init__(self, commit: Callable[[], T]) -> None:
        self._commit = commit
        self._taken = threading.Lock()

    def run(self) -> T:
        if not self._taken.acquire(blocking=False):
            raise _no_safe_point("the commit was withdrawn")
        return self._commit()

    def withdraw(self) -> bool:
        return self._taken.acquire(blocking=False)


def _no_safe_point(why: str) -> SwapError:
    return SwapError(
        "no-safe-point",
        f"the release was staged but not committed: {why}; nothing changed",
        help="try again; if it stays so, something blocks the app's event loop",
    )

"""What the endpoints of one process share."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from habanero_receiver.errors import ConflictError
from habanero_receiver.http.throttle import Crowd, Throttle

if TYPE_CHECKING:
    from collections.abc import Callable

    from habanero_receiver.fleet.node import Node
    from habanero_receiver.release.limits import Limits

P = ParamSpec("P")
T = TypeVar("T")

# One for the push itself and one to spare, so that a swap that hangs leaves the reads answering.
THREADS = 2


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="habanero-http")


class Place:
    """The one place for a push, or for a prune, in this process. Used on the event loop alone."""

    def __init__(self, what: str = "push") -> None:
        self._what = what
        self._taken = False
        self._work: asyncio.Future[None] | None = None

    def __enter__(self) -> Place:
        if self._taken:
            message = f"another {self._what} is under way in this process; nothing changed"
            raise ConflictError("busy", message, help=f"{self._what} again")
        self._taken = True
        return self

    def keep_until(self, work: asyncio.Future[None]) -> None:
        """Stay taken until this is done, though the push that began it may be answered before."""
        self._work = work

    def __exit__(self, *_: object) -> None:
        work, self._work = self._work, None
        if work is None or work.done():
            self._taken = False
        else:
            work.add_done_callback(self._free)

    def _free(self, work: asyncio.Future[None]) -> None:
        self._taken = False
        if not work.cancelled():
            work.exception()  # it was answered already; looked at, so that asyncio does not report it


@dataclass(slots=True, eq=False)
class Context:
    """What is there once for all requests of a process."""

    node: Node
    throttle: Throttle = field(default_factory=Throttle)
    unjudged: Crowd = field(default_factory=Crowd)
    _place: Place = field(default_factory=Place)
    _pruning: Place = field(default_factory=lambda: Place("prune"))
    swap_timeout_s: float = 30.0
    acknowledge_s: float = 5.0
    # Our own threads: the app may have filled the loop's default pool with work of its own.
    _threads: ThreadPoolExecutor = field(default_factory=_threads)

    @property
    def limits(self) -> Limits:
        """Every limit of the input."""
        return self.node.policy.limits

    def place(self) -> Place:
        """Give the place for a push; entering it raises ConflictError "busy" while it is taken."""
        return self._place

    def pruning(self) -> Place:
        """Give the place for a prune, beside which pushes go on; one at a time, as for pushes."""
        return self._pruning

    async def in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run blocking work beside the event loop. It goes on to its end even if the awaiting request does not."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._threads, lambda: work(*args, **kwargs)))

    def in_background(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Run blocking work that nobody waits for; it must not raise."""
        self._threads.submit(work, *args, **kwargs)

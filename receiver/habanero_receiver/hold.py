"""The hold: new requests wait, for a moment, while a commit runs; none of them fails.

What it does: counts the HTTP requests inside the app, keeps new ones (and new WebSockets) at the door while a
commit wants quiet, gives those inside a bounded moment to leave, runs the commit on the event loop, and opens
again. Everything here runs on the one event loop of its process, so nothing needs a lock, and outside a commit a
request pays for two additions and three comparisons.

What it does not: it does not wait for WebSockets, for the receiver's own endpoints, or a second time for a
request that outlived a whole grace period (a stream of server-sent events costs one grace period in its life).

The rule it upholds: the door cannot stay shut. It opens when the commit returns or raises, and a lease opens it
whatever else happens.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

T = TypeVar("T")

GRACE_S = 0.05
LEASE_S = 2.0

_log = logging.getLogger("habanero")


class _Crowd:
    """The requests that one commit waits for; those that outlive its grace period are never waited for again."""

    __slots__ = ("inside",)

    def __init__(self) -> None:
        self.inside = 0


class Hold:
    """Keeps the door of one app. Every method is called on that app's event loop."""

    def __init__(self, *, grace_s: float = GRACE_S, lease_s: float = LEASE_S) -> None:
        self._grace_s = grace_s
        self._lease_s = lease_s
        self._crowd = _Crowd()
        self._door: asyncio.Future[None] | None = None
        self._quiet: asyncio.Future[None] | None = None
        self._turn = asyncio.Lock()

    @property
    def shut(self) -> bool:
        """Whether new requests wait just now."""
        return self._door is not None

    @property
    def inside(self) -> int:
        """How many requests the next commit would wait for."""
        return self._crowd.inside

    async def pass_through(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one HTTP request of the app, waiting first while the door is shut."""
        while self._door is not None:
            await asyncio.shield(self._door)
        crowd = self._crowd
        crowd.inside += 1
        try:
            await app(scope, receive, send)
        finally:
            crowd.inside -= 1
            if self._quiet is not None and crowd.inside == 0 and crowd is self._crowd:
                _settle(self._quiet)

    async def until_open(self) -> None:
        """Wait while the door is shut, without being counted: the way in of a WebSocket."""
        while self._door is not None:
            await asyncio.shield(self._door)

    async def quietly(self, commit: Callable[[], T]) -> T:
        """Run `commit` with the door shut, after those inside have left or had their moment.

        `commit` is plain and quick: it runs in one turn of the loop, so no other coroutine sees half of it.
        Whatever it raises is raised here, with the door open again.
        """
        async with self._turn:
            if self._crowd.inside == 0:
                return commit()
            lease = self._close()
            try:
                await self._moment_to_leave()
                return commit()
            finally:
                lease.cancel()
                self._open()

    async def _moment_to_leave(self) -> None:
        self._quiet = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait((self._quiet,), timeout=self._grace_s)
            if not self._quiet.done():
                self._crowd = _Crowd()
        finally:
            self._quiet = None

    def _close(self) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        self._door = loop.create_future()
        return loop.call_later(self._lease_s, self._expire)

    def _open(self) -> None:
        door, self._door = self._door, None
        if door is not None:
            _settle(door)

    def _expire(self) -> None:
        if self._door is not None:
            _log.error("the hold was still shut after %.1f s: opened by its lease", self._lease_s)
            self._open()


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

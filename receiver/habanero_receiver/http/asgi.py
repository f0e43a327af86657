"""The one middleware that a mounted receiver adds to an app: the way to its endpoints, the hold, start and stop.

What it does: sends what is below the prefix to the receiver's own sub-app, where there is one and it wants the request;
lets everything else through the hold; starts and stops the receiver and the supervised loops with the app's lifespan
(or at the first request, where the server has none).
What it does not: it imports no framework; the sub-app is built at the first request that wants it.

The rule it upholds: apart from the moment of a commit, the app cannot tell that it is there: an exception that comes
out of it is told to the receiver and goes on its way.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from habanero_receiver.hold import Hold
from habanero_receiver.tasks.lifespan import around

if TYPE_CHECKING:
    from habanero_receiver.entrance import Entrance
    from habanero_receiver.hold import ASGIApp, Message, Receive, Scope, Send

PREFIX = "/_habanero"

_log = logging.getLogger("habanero")


class Served(Protocol):
    """What the middleware needs of a receiver."""

    async def enter_loop(self, hold: Hold) -> None:
        """Start on the running event loop; HabaneroError when the app must not serve."""
        ...

    async def leave_loop(self) -> None:
        """Stop."""
        ...

    def comes_up(self) -> None:
        """The app's own start-up is about to run."""
        ...

    def came_up(self, *, well: bool) -> None:
        """It is over: the app serves, or said that it does not. Writes to the disk."""
        ...

    async def begin_tasks(self) -> None:
        """Begin the app's supervised loops; again is no harm."""
        ...

    async def end_tasks(self) -> None:
        """End them."""
        ...

    def saw(self, error: BaseException, where: str) -> None:
        """An exception came out of the app. Quick; raises nothing."""
        ...

    @property
    def entrance(self) -> Entrance:
        """How much of it shows to the network."""
        ...

    def endpoints(self) -> Endpoints:
        """Give the sub-app. Slow the first time: called in a thread."""
        ...


class Endpoints(Protocol):
    """An ASGI app that may leave a request to the app around it, before it touched the body."""

    def admits(self, scope: Scope) -> bool:
        """Whether it answers this request."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it."""
        ...


class ReceiverMiddleware:
    """Wraps one ASGI app."""

    def __init__(self, app: ASGIApp, receiver: Served) -> None:
        self._app = app
        self._receiver = receiver
        self._hold = Hold()
        self._started = False
        self._served = False
        self._starting: asyncio.Lock | None = None
        self._open = receiver.entrance.open
        self._endpoints: Endpoints | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of the server."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        if not self._served:
            await self._serve()
        if kind == "http" and self._open and PREFIX in scope["path"]:
            inner = _below_prefix(scope)
            if inner is not None and (endpoints := await self._sub_app()).admits(inner):
                await endpoints(inner, receive, send)
                return
        try:
            await self._pass(kind, scope, receive, send)
        except Exception as error:
            self._receiver.saw(error, f"{scope.get('method', kind)} {scope.get('path', '')}")
            raise

    async def _pass(self, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a connection to the app: a request through the hold, any other when that is open."""
        if kind == "http":
            await self._hold.pass_through(self._app, scope, receive, send)
            return
        if self._hold.shut:
            await self._hold.until_open()
        await self._app(scope, receive, send)

    async def _sub_app(self) -> Endpoints:
        if self._endpoints is None:
            self._endpoints = await asyncio.to_thread(self._receiver.endpoints)
        return self._endpoints

    async def _start(self) -> None:
        self._starting = self._starting or asyncio.Lock()
        async with self._starting:
            if not self._started:
                await self._receiver.enter_loop(self._hold)
                self._started = True

    async def _serve(self) -> None:
        """Make sure, at the first request, of what a lifespan has done before: not every server has one."""
        await self._start()
        await self._receiver.begin_tasks()
        self._served = True
        await asyncio.to_thread(self._receiver.came_up, well=True)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start before the app's own start-up code runs, so that it already is the release's; stop after its end."""
        first = await receive()
        try:
            await self._start()
        except Exception as error:
            _log.exception("the receiver did not start, so the app does not either")
            await send({"type": "lifespan.startup.failed", "message": f"habanero: {error}"})
            return
        self._receiver.comes_up()
        # An app without lifespan raises here at once, and the server goes on without: then so does the receiver.
        receiving, sending = around(self._receiver, _again(first, receive), self._stop_before_the_last(send))
        await self._app(scope, receiving, sending)

    def _stop_before_the_last(self, send: Send) -> Send:
        """Tell the receiver how the app came up; stop before the server is told that the app is done.

        Once it knows, it ends the process.
        """

        async def sending(message: Message) -> None:
            if message["type"] in _CAME_UP:
                await asyncio.to_thread(self._receiver.came_up, well=_CAME_UP[message["type"]])
            if message["type"] in _LAST and self._started:
                self._started = self._served = False
                await self._receiver.leave_loop()
            await send(message)

        return sending


_CAME_UP = {"lifespan.startup.complete": True, "lifespan.startup.failed": False}
_LAST = frozenset({"lifespan.startup.failed", "lifespan.shutdown.complete", "lifespan.shutdown.failed"})


def _again(first: Message, receive: Receive) -> Receive:
    """Give the app the message that was read before it, and then those that come."""
    waiting = [first]

    async def receiving() -> Message:
        return waiting.pop() if waiting else await receive()

    return receiving


def _below_prefix(scope: Scope) -> Scope | None:
    """Give the scope as the sub-app sees it, or None for a path of the app's own."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root + "/"):
        path = path[len(root) :]
    if path != PREFIX and not path.startswith(PREFIX + "/"):
        return None
    return {**scope, "path": path[len(PREFIX) :] or "/", "root_path": ""}

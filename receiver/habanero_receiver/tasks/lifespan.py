"""Begins supervised loops when an ASGI app is up, and ends them before it goes down.

What it does: listens to the messages of one lifespan on their way. What it does not: it starts no receiver; and to
requests it adds nothing but a comparison.

The rule it upholds: loops find all that the app's own start made, and are over when its own end takes that away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class Supervised(Protocol):
    """Whoever has the loops."""

    async def begin_tasks(self) -> None:
        """Begin them on the running event loop."""
        ...

    async def end_tasks(self) -> None:
        """Ask them to end and wait a bounded time for it."""
        ...


def around(tasks: Supervised, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Give the two ends of a lifespan with the loops' beginning and end woven in."""

    async def receiving() -> Message:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await tasks.end_tasks()
        return message

    async def sending(message: Message) -> None:
        if message["type"] == "lifespan.startup.complete":
            await tasks.begin_tasks()
        await send(message)

    return receiving, sending


class TasksMiddleware:
    """For an app whose receiver is off: its loops run all the same."""

    def __init__(self, app: ASGIApp, receiver: Supervised) -> None:
        self._app = app
        self._receiver = receiver

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Hand everything on."""
        if scope["type"] == "lifespan":
            receive, send = around(self._receiver, receive, send)
        return self._app(scope, receive, send)

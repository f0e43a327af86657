"""The door before the endpoints: which requests below the prefix are answered by the receiver at all.

    host     with a list of hosts, a request under another name is not for us: 421
    hidden   a request that shows no signature in its headers is the app's, which answers as for any path it lacks

It looks at headers alone: what is handed on to the app was not touched, so the app cannot tell that we looked, and the
sender learns nothing from how its body is read. What it does not: it decides nothing about a push, which is judged in
full behind it.

The rule it upholds: hidden, nothing that a stranger sends gets an answer of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request

from habanero_receiver.errors import HabaneroError, RequestError, TrustError
from habanero_receiver.http import reads
from habanero_receiver.http.visit import turn_stranger_away

if TYPE_CHECKING:
    from habanero_receiver.entrance import Entrance
    from habanero_receiver.hold import ASGIApp, Receive, Scope, Send
    from habanero_receiver.http.context import Context


class Door:
    """Stands before the endpoints of one process."""

    def __init__(self, context: Context, endpoints: ASGIApp, entrance: Entrance) -> None:
        self._context, self._endpoints, self._entrance = context, endpoints, entrance

    def admits(self, scope: Scope) -> bool:
        """Whether the receiver answers this request, rather than the app. One that is left to the app is recorded."""
        if not self._entrance.hidden:
            return True
        request = Request(scope)
        try:
            if self._wrong_host(request):
                raise _wrong_host()
            if "expect" in request.headers:  # reading its body would say "100 Continue", where the app's 404 does not
                raise TrustError("unauthorized", "asks whether to go on", help="send it without Expect")
            reads.check_shown(self._context, request)
        except HabaneroError as error:
            turn_stranger_away(self._context, request, "hidden", error, close=False)
            return False
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that was let in."""
        request = Request(scope)
        if self._wrong_host(request):
            answer = turn_stranger_away(self._context, request, "host", _wrong_host(), close=True)
            await answer(scope, receive, send)
            return
        await self._endpoints(scope, receive, send)

    def _wrong_host(self, request: Request) -> bool:
        named = [value for name, value in request.scope["headers"] if name == b"host"]
        return not self._entrance.admits(named)


def _wrong_host() -> RequestError:
    return RequestError("wrong-host", "the receiver is not asked for under this name; nothing was read")

"""Reads a push body as it arrives, under a size limit and a deadline that no server in front enforces for us.

What it does: gives the body in exactly the portions that are asked for, so the envelope can be judged before a byte
after it is waited for. What it does not: it knows nothing of what the bytes mean.

The rule it upholds: memory is bounded by the limit whatever the sender declares, and so is the time by the deadline.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from habanero_receiver.errors import RequestError

if TYPE_CHECKING:
    from fastapi import Request

    from habanero_receiver.release.limits import Limits


def _too_large(max_bytes: int) -> RequestError:
    """Make the error for a body over the limit."""
    return RequestError(
        "body-size",
        f"the body is larger than {max_bytes} bytes; nothing changed",
        help="push fewer modules at a time, or deploy with a restart",
    )


class Intake:
    """One request's body. The deadline starts with the first read and covers the whole body."""

    def __init__(self, request: Request, *, limits: Limits) -> None:
        self._receive = request.receive
        self._headers = request.headers
        self._max_bytes = limits.max_body_bytes
        self._timeout_s = float(limits.body_timeout_s)
        self._deadline: float | None = None
        self._waiting = bytearray()
        self._taken = 0
        self._broken = False
        self.ended = False

    def check_headers(self, media_type: str) -> None:
        """Refuse by the headers alone, before a byte is asked for: media type, content coding, declared length."""
        headers, size = self._headers, self._max_bytes
        if headers.get("content-type", "").partition(";")[0].strip().lower() != media_type:
            raise RequestError("media-type", f"a push is {media_type}; nothing was read", help="update habanero-py")
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise RequestError("content-encoding", "a push is not encoded; nothing was read", help="update habanero-py")
        length = headers.get("content-length")
        if length is not None and not (length.isascii() and length.isdigit() and int(length) <= size):
            raise _too_large(size)

    async def take(self, size: int) -> bytes:
        """Give the next `size` bytes; fewer only where the body ends. RequestError on limit or deadline."""
        while len(self._waiting) < size and not self.ended:
            await self._more()
        portion = bytes(self._waiting[:size])
        del self._waiting[:size]
        return portion

    async def finish(self) -> bool:
        """Whether the body ends here, with no byte left over."""
        while not self._waiting and not self.ended:
            await self._more()
        return not self._waiting

    async def drain(self, *, max_bytes: int, timeout_s: float) -> bool:
        """Read the rest and drop it, so that a sender still at it gets to see the answer. Whether its end was read."""
        if self._deadline is None or self._broken:
            return False  # unread: a sender that asked whether to go on is not told to; broken: it had its time
        self._waiting.clear()
        dropped = 0
        try:
            async with asyncio.timeout(timeout_s):
                while not self.ended and dropped <= max_bytes:
                    await self._more()
                    dropped += len(self._waiting)
                    self._waiting.clear()
        except (TimeoutError, RequestError):
            return False
        return self.ended

    async def _more(self) -> None:
        loop = asyncio.get_running_loop()
        if self._deadline is None:
            self._deadline = loop.time() + self._timeout_s
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            if loop.time() < self._deadline:
                raise  # drain's own, shorter patience
            self._broken = True
            raise RequestError(
                "body-timeout",
                f"the body did not arrive within {self._timeout_s:g} s; nothing changed",
                help="push again over a better connection",
            ) from None
        if message["type"] == "http.disconnect":
            self._broken = True
            raise RequestError("truncated", "the sender went away; nothing changed", help="push again")
        chunk = message.get("body", b"")
        self.ended = not message.get("more_body", False)
        self._taken += len(chunk)
        if self._taken > self._max_bytes:
            self._broken = True
            raise _too_large(self._max_bytes)
        self._waiting += chunk

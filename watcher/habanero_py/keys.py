"""Single keys from a terminal, without waiting for Enter, while other things are drawn.

A thin shell over termios; without a terminal there are no keys. The rule it upholds: the terminal is given back as it
was found, whatever ends the watch.
"""

from __future__ import annotations

import asyncio
import os
import termios
import tty
from collections.abc import Callable
from types import TracebackType


class Keyboard:
    """Calls `pressed` with each key, on the event loop; `ask` takes the next key for itself."""

    def __init__(self, descriptor: int, pressed: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._pressed = pressed
        self._before: list[int | list[bytes | int]] | None = None
        self._asked: asyncio.Future[str] | None = None

    def __enter__(self) -> Keyboard:
        self._before = termios.tcgetattr(self._descriptor)
        tty.setcbreak(self._descriptor)
        asyncio.get_running_loop().add_reader(self._descriptor, self._read)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        self.cancel()
        if self._before is not None:
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)

    async def ask(self) -> str:
        """The next key that is pressed."""
        self._asked = asyncio.get_running_loop().create_future()
        try:
            return await self._asked
        finally:
            self._asked = None

    def cancel(self) -> None:
        """Answers a question that waits with no key at all."""
        if self._asked is not None and not self._asked.done():
            self._asked.set_result("")

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 64)
        except OSError:
            data = b""
        if not data:  # the terminal is gone
            asyncio.get_running_loop().remove_reader(self._descriptor)
            self._key("q")
            return
        for key in data.decode("utf-8", "ignore"):
            self._key(key)

    def _key(self, key: str) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(key)
        else:
            self._pressed(key)

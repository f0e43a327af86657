"""One run of a supervised loop, as an asyncio task or as a thread: the two shells around the user's function.

What they do: call the function, ask it to end, say how it ended, tell where it is. What they do not: they decide
nothing about what comes next, and they kill nothing.

The rule they uphold: `ended` is called once, after the last line of the function has run.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from habanero_receiver.tasks.codeprint import codeprint

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from habanero_receiver.tasks.codeprint import Codeprint

    Ended = Callable[["Run", BaseException | None], None]
    Cancel = Callable[[], None]


class Run(Protocol):
    """One run. `print` is None until the function was called; `since` is on the monotonic clock."""

    print: Codeprint | None
    since: float
    help: str

    def start(self) -> None:
        """Begin; RuntimeError if that is not possible any more."""
        ...

    def ask(self) -> None:
        """Ask it to end. Any thread."""
        ...

    def where(self) -> str:
        """Tell the line of the loop that it is at, and the line inside of that, as far as that can be seen."""
        ...

    def later(self, seconds: float, do: Callable[[], None]) -> Cancel:
        """Call `do` after some time; returns what calls that off."""
        ...

    def lost(self) -> bool:
        """Whether what it ran on is gone, so that it will never say that it ended."""
        ...

    def on_this_thread(self) -> bool:
        """Whether the caller must not wait for it, since it runs on the caller's own thread."""
        ...


def is_async(function: object) -> bool:
    """Whether calling it gives something to await. A plain wrapper of an async function does."""
    while function is not None:
        if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(_call_of(function)):
            return True
        function = getattr(function, "__wrapped__", None)
    return False


def _place(frames: list[FrameType]) -> str:
    """Name the place of frames, outermost first: the loop's own line, and where that is inside of."""
    places = [f"{frame.f_code.co_filename}:{frame.f_lineno}" for frame in (*frames[:1], *frames[1:][-1:])]
    return " in ".join(places) or "an unknown place"


def _call_of(function: object) -> object:
    return inspect.getattr_static(type(function), "__call__", None)


class LoopRun:
    """A run on an event loop. Asking cancels it at its next await."""

    help = "let asyncio.CancelledError pass (no bare except around an await)"

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        arguments: tuple[object, ...],
        ended: Ended,
        loop: asyncio.AbstractEventLoop,
        context: contextvars.Context,
    ) -> None:
        self.print: Codeprint | None = None
        self.since = time.monotonic()
        self._name = name
        self._function = function
        self._arguments = arguments
        self._ended = ended
        self._loop = loop
        self._context = context
        self._task: asyncio.Task[None] | None = None
        self._current: Any = None
        self._asked = False

    def start(self) -> None:
        """Begin at the loop's next turn. Any thread."""
        self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._body(), name=f"habanero {self._name}", context=self._context.copy())
        self._task.add_done_callback(self._finished)

    async def _body(self) -> None:
        self.print = codeprint(self._function)  # no await between this and the call: no commit either
        self._current = self._function(*self._arguments)
        await self._current

    def _finished(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            error = task.exception()
        elif self._asked or task.cancelling():
            error = None
        else:  # nobody cancelled the task: what it awaited was cancelled, and it did not care
            error = asyncio.CancelledError("something that the loop awaited was cancelled")
        self._ended(self, error)

    def ask(self) -> None:
        """Cancel it at its next await."""
        self._asked = True
        with suppress(RuntimeError):  # the loop is closed, and with it the task is gone
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel(f"habanero: {self._name} is to end")

    def where(self) -> str:
        """Tell which await the loop is at."""
        frames, waiting = [], self._current
        while (frame := getattr(waiting, "cr_frame", None)) is not None:
            frames.append(frame)
            waiting = waiting.cr_await
        return _place(frames)

    def later(self, seconds: float, do: Callable[[], None]) -> Cancel:
        """Call `do` on the loop, unless that is closed by then."""
        timer = _LoopTimer(self._loop, seconds, do)
        return timer.cancel

    def lost(self) -> bool:
        """Whether the loop was closed."""
        return self._loop.is_closed()

    def on_this_thread(self) -> bool:
        """Whether the caller is on the run's own loop, and so must not wait for it."""
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False


class _LoopTimer:
    """A timer of an event loop that is set and called off from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, do: Callable[[], None]) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None
        self._call_soon(lambda: self._arm(seconds, do))

    def _arm(self, seconds: float, do: Callable[[], None]) -> None:
        self._handle = self._loop.call_later(seconds, do)

    def cancel(self) -> None:
        self._call_soon(self._disarm)

    def _disarm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _call_soon(self, do: Callable[[], None]) -> None:
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(do)


class ThreadRun:
    """A run in a thread of its own. Asking sets the event that the function was given last."""

    help = "return when stop.is_set(), and wait with stop.wait(seconds) in place of time.sleep(seconds)"

    def __init__(
        self, name: str, function: Callable[..., Any], arguments: tuple[object, ...], ended: Ended
    ) -> None:
        self.print: Codeprint | None = None
        self.since = time.monotonic()
        self._function = function
        self._arguments = arguments
        self._ended = ended
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._body, name=f"habanero {name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def _body(self) -> None:
        error: BaseException | None = None
        try:
            self.print = codeprint(self._function)  # a swap between this and the call costs one needless restart
            result = self._function(*self._arguments, self._stop)
            if inspect.iscoroutine(result):
                result.close()
                raise TypeError("the loop is a plain function that returned a coroutine; help: make it an async def")
        except BaseException as raised:  # a thread has nobody above it: whatever it is is told to the supervisor
            error = raised
        self._ended(self, error)

    def ask(self) -> None:
        """Set its event."""
        self._stop.set()

    def where(self) -> str:
        """Tell the line of the loop that the thread is at."""
        frames, frame = [], sys._current_frames().get(self._thread.ident or 0)
        while frame is not None and frame.f_code is not ThreadRun._body.__code__:
            frames.append(frame)
            frame = frame.f_back
        return _place(frames[::-1])

    def later(self, seconds: float, do: Callable[[], None]) -> Cancel:
        """Call `do` in a thread of its own."""
        timer = threading.Timer(seconds, do)
        timer.daemon = True
        timer.start()
        return timer.cancel

    def lost(self) -> bool:
        """Whether the thread is gone, which only a fork does without a word."""
        return False

    def on_this_thread(self) -> bool:
        """Whether the caller is the run itself."""
        return threading.current_thread() is self._thread

"""Where the runs of loops take place: async ones on the event loop of the app, plain ones in threads of their own.

What it does: remembers the event loop that the app runs on and the context that it was begun in, and makes runs.
What it does not: it starts and ends none.

The rule it upholds: an async loop is never given an event loop that its app does not run on.
"""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import logging
from typing import TYPE_CHECKING

from habanero_receiver.tasks.runs import LoopRun, ThreadRun, is_async

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from habanero_receiver.tasks.declared import Declaration
    from habanero_receiver.tasks.runs import Run

_log = logging.getLogger("habanero")

_NO_LOOP_HELP = "call receiver.start() inside of the event loop, first thing in your async main()"


class Places:
    """Of one process. `at_exit` is called when it ends, if there ever was a thread."""

    __slots__ = ("_at_exit", "_context", "_event_loop")

    def __init__(self, at_exit: Callable[[], None]) -> None:
        self._at_exit: Callable[[], None] | None = at_exit
        self._event_loop: asyncio.AbstractEventLoop | None = None
        self._context = contextvars.Context()

    @property
    def has_event_loop(self) -> bool:
        """Whether an event loop is known."""
        return self._event_loop is not None

    def take_event_loop(self) -> None:
        """Remember the event loop that runs here, if one does; forget one that was closed."""
        try:
            self._event_loop = asyncio.get_running_loop()
        except RuntimeError:
            if self._event_loop is not None and self._event_loop.is_closed():
                self._event_loop = None
        else:
            self._context = contextvars.copy_context()

    def need_event_loop(self, declarations: Iterable[Declaration]) -> None:
        """Raise RuntimeError for an async loop when no event loop is known."""
        for declaration in declarations if self._event_loop is None else ():
            if is_async(declaration.function):
                raise RuntimeError(
                    f"task {declaration.name} is async, and no event loop runs here; no task was begun; "
                    f"help: {_NO_LOOP_HELP}"
                )

    def new_run(self, declaration: Declaration, ended: Callable[[Run, BaseException | None], None]) -> Run | None:
        """Make the next run of a loop; None, and a line in the log, for an async one without an event loop."""
        name, function, arguments = declaration.name, declaration.function, declaration.arguments()
        if not is_async(function):
            at_exit, self._at_exit = self._at_exit, None
            if at_exit is not None:
                atexit.register(at_exit)
            return ThreadRun(name, function, arguments, ended)
        if self._event_loop is None:
            _log.error("task %s is async, and the app has no event loop that is known: it does not run; help: %s",
                       name, _NO_LOOP_HELP)  # fmt: skip
            return None
        return LoopRun(name, function, arguments, ended, self._event_loop, self._context)

"""Walks the table of `phases` for every declared loop.

What it does: begins loops when the app is up, compares after each swap what is declared, and what its code is, with
what runs, and does what the table says. What it does not: it never kills. A run that does not end is reported, and its
successor waits for it.

The rule it upholds: `_moving` is held for each move and its act, and no act waits for anything, so that it can be
called from the event loop, from the thread that swapped, and from runs that just ended.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from habanero_receiver.tasks.codeprint import codeprint
from habanero_receiver.tasks.life import Life, Pace
from habanero_receiver.tasks.phases import RUNS, Act, Phase, Signal, move
from habanero_receiver.tasks.places import Places

if TYPE_CHECKING:
    from collections.abc import Callable

    from habanero_receiver.tasks.declared import Declaration
    from habanero_receiver.tasks.runs import Run

_log = logging.getLogger("habanero")


class Supervisor:
    """Runs what is in `declared`. `in_swap` says whether code is being changed just now, by whatever thread."""

    __slots__ = (
        "__weakref__", "_begun", "_declared", "_exiting", "_loops", "_moving", "_pace", "_pid", "_places", "_saw",
        "in_swap",
    )  # fmt: skip

    def __init__(
        self, declared: dict[str, Declaration], in_swap: Callable[[], bool], pace: Pace,
        saw: Callable[[BaseException, str], None] = lambda _error, _where: None,
    ) -> None:  # fmt: skip
        """`saw` is told of each exception that ended a loop, and which."""
        self._declared = declared
        self._saw = saw
        self.in_swap = in_swap
        self._pace = pace
        self._begun = False
        self._exiting = False
        """Whether the process is at its end, where newer Pythons begin no thread any more, a timer's neither."""
        self._places = Places(self._end_with_process)
        self._forget_all()

    def _forget_all(self) -> None:
        self._pid = os.getpid()
        self._moving = threading.Condition()
        self._loops: dict[str, Life] = {}

    def begin(self) -> None:
        """Begin every declared loop, async ones on the event loop that runs here. Again: those that are not running.

        RuntimeError for an async loop where no event loop runs; nothing was begun then.
        """
        if self._pid != os.getpid():  # forked: the runs, and whoever held the lock, stayed in the parent
            self._forget_all()
        with self._moving:
            self._places.take_event_loop()
            self._places.need_event_loop(self._declared.values())
            for loop in self._loops.values():
                if loop.run is not None and loop.run.lost():  # of an event loop that ended without a word
                    loop.phase = Phase.IDLE
            self._begun = True
        self.settle()

    def _has_begun(self) -> bool:
        return self._begun and self._pid == os.getpid()

    def settle(self) -> None:
        """Make what runs be what is declared, on the code of now. To be called whenever either may have changed."""
        if not self._has_begun() or self.in_swap():  # the end of the swap settles
            return
        with self._moving:
            wanted = dict(self._declared)
            for loop in [*self._loops.values()]:
                if loop.name not in wanted:
                    self._move(loop, Signal.END)
            for name, declaration in wanted.items():
                self._settle(self._loops.setdefault(name, Life(declaration)), declaration)
            self._drop_ended(wanted)

    def _settle(self, loop: Life, declaration: Declaration) -> None:
        loop.declaration = declaration
        bound = declaration.is_bound()
        if loop.was_bound and bound is False:
            _log.info("task %s: its function is gone, so it ends", loop.name)
            self._declared.pop(loop.name, None)
            self._move(loop, Signal.END)
            return
        loop.was_bound = bool(bound)
        before = loop.latest_print()
        if loop.phase is not Phase.IDLE and before is not None and before != codeprint(declaration.function):
            loop.pause_s = 0.0
            self._move(loop, Signal.CHANGED)
        self._move(loop, Signal.BEGIN)

    def _drop_ended(self, wanted: dict[str, Declaration]) -> None:
        for name in [name for name, loop in self._loops.items() if loop.phase is Phase.IDLE and name not in wanted]:
            del self._loops[name]

    def begin_new(self, declaration: Declaration) -> None:
        """Begin a loop that was declared while the app is up; RuntimeError if it is async and no event loop runs."""
        if self._has_begun() and not self.in_swap():
            with self._moving:
                if not self._places.has_event_loop:
                    self._places.take_event_loop()
                self._places.need_event_loop([declaration])
            self.settle()

    def end(self) -> None:
        """Ask every loop to end. Returns at once."""
        with self._moving:
            self._begun = False
            for loop in self._loops.values():
                loop.ended = True
                self._move(loop, Signal.END)

    def wait(self) -> list[str]:
        """Wait, no longer than the pace says, until the loops that were asked have ended; those that did not, by name.

        Does not wait for what cannot end meanwhile: loops on the very thread that waits.
        """
        with self._moving:
            self._moving.wait_for(lambda: not self._awaited(), self._pace.end_wait_s)
            left = self._awaited()
            for loop in left:
                if not loop.reported:
                    self._report(loop)
        return [loop.name for loop in left]

    def _awaited(self) -> list[Life]:
        leaving = [loop for loop in self._loops.values() if loop.phase is Phase.LEAVING]
        return [loop for loop in leaving if loop.run is not None and not loop.run.on_this_thread()]

    def forget(self, name: str) -> None:
        """Take a loop out of those declared and ask it to end."""
        self._declared.pop(name, None)
        self.settle()

    def state_of(self, name: str) -> object:
        """Give the state object of a declared loop, or None."""
        declaration = self._declared.get(name)
        return None if declaration is None else declaration.sealed.state

    def phase_of(self, name: str) -> str:
        """Give the phase of a loop in a word."""
        loop = self._loops.get(name)
        return (Phase.IDLE if loop is None else loop.phase).value

    def is_live(self, name: str) -> bool:
        """Whether a declared loop runs, will run or waits for the app to begin, in the app's present life."""
        loop = self._loops.get(name)
        return loop is None or not loop.ended or loop.phase is not Phase.IDLE

    def stuck(self) -> tuple[str, ...]:
        """Give the loops that were asked to end and did not."""
        return tuple(loop.name for loop in [*self._loops.values()] if loop.reported)

    def _move(self, loop: Life, signal: Signal) -> None:
        """Make one move of the table. Caller holds _moving."""
        phase, act = move(loop.phase, signal)
        if act in _TIMED_ANEW or phase not in RUNS:
            self._call_off(loop)
        loop.phase = phase
        if act in _ACTS:
            _ACTS[act](self, loop)
        self._moving.notify_all()

    def _later(self, seconds: float, run: Run, loop: Life, signal: Signal) -> None:
        if not self._exiting:
            loop.call_off = run.later(seconds, partial(self._timer, loop, run, signal))

    def _timer(self, loop: Life, run: Run, signal: Signal) -> None:
        with self._moving:
            if loop.run is run:
                self._move(loop, signal)

    @staticmethod
    def _call_off(loop: Life) -> None:
        call_off, loop.call_off = loop.call_off, None
        if call_off is not None:
            call_off()

    def _start(self, loop: Life) -> None:
        declaration = loop.declaration = self._declared.get(loop.name, loop.declaration)
        run = self._places.new_run(declaration, partial(self._ended, loop))
        loop.ended = False
        if run is not None:
            loop.run = run
            try:
                run.start()
            except RuntimeError as error:  # the event loop was closed, or the interpreter is going down
                _log.warning("task %s cannot begin: %s", loop.name, error)
            else:
                return
        loop.phase = Phase.IDLE

    def _end_with_process(self) -> None:
        """Give threads a chance to end properly in a program that never stopped its receiver."""
        if self._has_begun():
            self._exiting = True
            self.end()
            self.wait()

    def _ask(self, loop: Life) -> None:
        run = loop.run
        if run is not None:
            if loop.phase is Phase.ENDING:
                _log.info("task %s: its code changed; it ends, and begins again on the new code", loop.name)
            run.ask()
            self._later(self._pace.grace_s, run, loop, Signal.SLOW)

    def _report(self, loop: Life) -> None:
        run = loop.run
        if run is not None:
            loop.reported = True
            _log.error("task %s was asked to end and has not ended, it goes on with its old code at %s; help: %s",
                       loop.name, run.where(), run.help)  # fmt: skip

    def _pause(self, loop: Life) -> None:
        run = loop.run
        if run is not None:
            self._later(loop.pause_s, run, loop, Signal.REST_OVER)

    def _ended(self, loop: Life, run: Run, error: BaseException | None) -> None:
        """Take note that a run has ended. Called by the run, after its last line."""
        with self._moving:
            if loop.run is not run or loop.phase not in RUNS:
                return
            if loop.reported:
                loop.reported = False
                _log.warning("task %s has ended after all", loop.name)
            if error is not None and not isinstance(error, (SystemExit, KeyboardInterrupt)):
                self._note_error(loop, run, error)
                self._move(loop, Signal.RAISED)
            else:
                self._note_return(loop)
                self._move(loop, Signal.RETURNED)
            self._drop_ended(self._declared)

    @staticmethod
    def _note_return(loop: Life) -> None:
        loop.pause_s = 0.0
        if loop.phase is Phase.RUNNING:
            _log.info("task %s returned; it begins again when its code changes", loop.name)

    def _note_error(self, loop: Life, run: Run, error: BaseException) -> None:
        self._saw(error, f"task {loop.name}")
        if loop.phase is not Phase.RUNNING:
            _log.error("task %s raised while it was ending", loop.name, exc_info=error)
            return
        pace = self._pace
        steady = time.monotonic() - run.since >= pace.steady_s
        doubled = min(loop.pause_s * 2, pace.last_pause_s)
        loop.pause_s = pace.first_pause_s if steady or not loop.pause_s else doubled
        _log.error("task %s raised; it begins again in %.1f s", loop.name, loop.pause_s, exc_info=error)


_TIMED_ANEW = frozenset({Act.START, Act.ASK, Act.PAUSE})
_ACTS: dict[Act, Callable[[Supervisor, Life], None]] = {
    Act.START: Supervisor._start,
    Act.ASK: Supervisor._ask,
    Act.PAUSE: Supervisor._pause,
    Act.REPORT: Supervisor._report,
}


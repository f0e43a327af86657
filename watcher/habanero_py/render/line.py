"""The reader for pipes and CI: a line for each event with its time, no colours, no cursor movement.

What succeeds goes to `out`, what fails to `err`, so that a script can keep the two apart. Every table and error has
the same words as on a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TextIO

from habanero_py import events as e

from . import failure, fleet, tables
from .jsonl import now_utc
from .text import MARGIN, Symbols, clean_line, count, names, one_line, release, size, surprises, units


class LineReader:
    """Writes events as lines of text. `target` is the name a person gave to the place that is pushed to."""

    def __init__(
        self,
        out: TextIO,
        err: TextIO,
        target: str,
        symbols: Symbols,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self._out = out
        self._err = err
        self._target = target
        self._symbols = symbols
        self._clock = clock

    def show(self, event: e.Event) -> None:
        """The event's lines, flushed."""
        if isinstance(event, e.SyntaxFound):
            self._fail(failure.syntax(event), event.running)
        elif isinstance(event, e.Refused):
            self._fail(failure.refused(event), event.running)
        elif isinstance(event, e.OutOfStep):
            self._write(self._err, failure.out_of_step(event, self._target))
        elif isinstance(event, e.Withdrawn):
            self._stamp(self._line(event))
            self._write(self._err, fleet.withdrawn(event, self._target, self._symbols))
        elif isinstance(event, e.ProductionError):
            self._stamp(self._line(event))
            self._write(self._err, fleet.production_error(event, self._symbols))
        elif isinstance(event, e.GateFinished) and not event.ok:
            self._stamp(self._line(event))
            self._fail(failure.gate(event), event.running)
        elif isinstance(event, e.Status) and event.waiting:
            self._stamp(self._line(event))
        elif (lines := tables.table(event, self._symbols, self._clock().isoformat())) is not None:
            self._write(self._out, lines)
        else:
            self._stamp(self._line(event))
            if isinstance(event, e.Live):
                self._write(self._out, [f"{MARGIN}{said}" for said in surprises(event.stale, event.doubled)])

    def close(self) -> None:
        """Nothing to restore."""

    def _line(self, event: e.Event) -> str:
        match event:
            case e.Ready():
                step = f"at {release(event.running)}" if event.in_step else "OUT OF STEP"
                step += f" ({release(event.withdrawn)} withdrawn)" if event.withdrawn is not None else ""
                return (
                    f"ready   {event.app} {self._symbols.arrow} {self._target} "
                    f"{count(event.machines, 'machine')} {count(event.workers, 'worker')} {step}"
                )
            case e.Changed():
                return f"change  {names(event.paths)}"
            case e.GateStarted():
                return f"gate    {clean_line(event.command)}"
            case e.GateFinished():
                mark = self._symbols.ok if event.ok else self._symbols.fail
                return f"gate    {mark} {clean_line(event.summary)} {event.seconds:.2f}s"
            case e.GateAgain():
                return f"again   {names(event.paths)} changed under the gate"
            case e.Pushing():
                what = f"{count(event.modules, 'module')} {size(event.bytes)}"
                return f"push    {release(event.push)} over {release(event.base)} {what}"
            case e.MachineStep():
                mark = self._symbols.ok if event.applied == event.workers else self._symbols.fail
                failed = "".join(f" {clean_line(text)}" for text in event.failures)
                return f"machine {clean_line(event.machine)} {mark} {event.applied}/{event.workers}{failed}"
            case e.Live():
                same = f" same code as {release(event.same_code_as)}" if event.same_code_as is not None else ""
                done = f" {units(event.units)}" if event.units else ""
                return f"live    {release(event.push)}{same} {event.workers}/{event.workers} {event.seconds:.2f}s{done}"
            case e.Status():
                return f"status  {fleet.in_words(event)}"
            case e.Unchanged():
                return f"same    {fleet.unchanged(event, self._target)}"
            case e.Withdrawn():
                return f"back    {release(event.push)} withdrawn, {release(event.runs)} runs"
            case e.ProductionError():
                return f"error   {release(event.push)} {clean_line(event.kind)} in {clean_line(event.place)}"
            case e.Notice():
                return f"note    {clean_line(event.text)}" + (f" (help: {event.help})" if event.help else "")
            case _:
                return f"{event.EVENT:<7} {clean_line(str(event.to_json()))}"

    def _fail(self, lines: Iterable[str], running: int | None) -> None:
        tail = [failure.unchanged(self._target, running)] if running is not None else []
        self._write(self._err, [*lines, *tail])

    def _stamp(self, line: str) -> None:
        self._write(self._out, [f"{self._clock().astimezone():%H:%M:%S} {line}"])

    @staticmethod
    def _write(stream: TextIO, lines: Iterable[str]) -> None:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        text = "".join(f"{one_line(line)}\n" for line in lines)
        stream.write(text.encode(encoding, "replace").decode(encoding, "replace"))
        stream.flush()

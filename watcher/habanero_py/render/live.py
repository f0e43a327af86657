"""The reader for a person at a terminal: two lines for a success, the place for a failure, a live row in between.

Uses rich, and builds every line from plain text, so nothing that came from outside is read as markup. The live row
is drawn only while a gate runs: a push without one is over before a person could read it, and drawing costs time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime

from rich.console import Console, RenderableType
from rich.live import Live as LiveArea
from rich.text import Text

from habanero_py import events as e

from . import failure, fleet, tables
from .jsonl import now_utc
from .text import MARGIN, Symbols, clean_line, count, names, one_line, release, surprises, units

KEYS = "  r run again   u undo last push   s status   p pause   q quit"


class LiveReader:
    """Draws events on a terminal."""

    def __init__(
        self, console: Console, target: str, symbols: Symbols, clock: Callable[[], datetime] = now_utc
    ) -> None:
        self._console = console
        self._target = target
        self._symbols = symbols
        self._clock = clock
        self._area: LiveArea | None = None
        self._head = Text()

    def show(self, event: e.Event) -> None:
        """Draws one event."""
        match event:
            case e.Ready():
                self._ready(event)
            case e.Changed():
                self._print(Text(f"{self._clock().astimezone():%H:%M:%S}  {names(event.paths)}", style="bold"))
            case e.GateStarted():
                self._start(clean_line(event.command))
            case e.GateFinished():
                self._gate(event)
            case e.GateAgain():
                self._stop()
                self._mark("wait", f"{names(event.paths)} changed under the gate: once more")
            case e.Pushing():
                pass
            case e.MachineStep():
                self._machine(event)
            case e.Live():
                self._live(event)
            case e.Unchanged():
                self._mark("ok" if event.withdrawn is None else "wait", fleet.unchanged(event, self._target))
            case e.SyntaxFound():
                self._fail(failure.syntax(event), event.running)
            case e.Refused():
                self._refused(event)
            case e.OutOfStep():
                self._mark("fail", f"{release(event.push)} OUT OF STEP")
                self._plain(failure.out_of_step(event, self._target), "red")
            case e.Notice():
                self._plain([f"{MARGIN}{clean_line(event.text)}"], "dim")
                self._plain([f"{MARGIN}help: {clean_line(event.help)}"] if event.help else [], "dim")
            case e.Status(waiting=True):
                self._draw(fleet.status(event, self._symbols))
            case e.ProductionError():
                self._production(event)
            case e.Withdrawn():
                self._stop()
                first, *rest = fleet.withdrawn(event, self._target, self._symbols)
                self._plain([first], "red bold")
                self._plain(rest, "")
            case _:
                self._table(event)

    def close(self) -> None:
        """Takes the live row away."""
        self._stop()

    def _ready(self, event: e.Ready) -> None:
        where = f"{event.app} {self._symbols.arrow} {self._target}"
        at = f"all at {release(event.running)}" if event.in_step else "OUT OF STEP"
        at += f" ({release(event.withdrawn)} withdrawn)" if event.withdrawn is not None else ""
        fleet = f"{count(event.machines, 'machine')}, {count(event.workers, 'worker')}, {at}"
        gate = "none: what you save goes live untested"
        if event.gate:
            gate = f"{' '.join(event.gate)}  ({event.gate_timeout_s:g} s)"
        self._print(Text.assemble((where, "bold"), f"   {fleet}"))
        self._plain(
            [
                f"  watching  {names(event.watching)} ({count(event.files, 'file')})",
                f"  gate      {clean_line(gate)}",
                f"  key       {clean_line(event.author)}  {event.key}",
                KEYS,
            ],
            "dim",
        )

    def _gate(self, event: e.GateFinished) -> None:
        self._stop()
        text = f"gate {clean_line(event.summary)} {event.seconds:.2f} s"
        if event.ok:
            self._head = Text.assemble((f"{self._symbols.ok} ", "green"), f"{text}   ")
        else:
            self._mark("fail", text)
            self._fail(failure.gate(event), event.running)

    def _machine(self, event: e.MachineStep) -> None:
        if event.applied < event.workers or event.failures:
            self._plain([f"{MARGIN}  {clean_line(event.machine)}  {event.applied}/{event.workers}"], "red")
            self._plain([f"{MARGIN}            {clean_line(failed)}" for failed in event.failures], "red")

    def _live(self, event: e.Live) -> None:
        self._stop()
        same = f" (same code as {release(event.same_code_as)})" if event.same_code_as is not None else ""
        workers = f"{event.workers}/{event.workers} workers"
        done = f"   {units(event.units)}" if event.units else ""
        line = Text(MARGIN) + self._take_head()
        line.append(f"{self._symbols.ok} ", "green")
        line.append(f"live {release(event.push)}{same} on {workers} {event.total:.2f} s", "bold")
        line.append(done, "dim")
        self._print(line)
        self._plain([f"{MARGIN}{said}" for said in surprises(event.stale, event.doubled)], "yellow")

    def _refused(self, event: e.Refused) -> None:
        self._stop()
        if event.by_server:
            self._mark("fail", "refused by the server, nothing changed")
        elif self._head.plain:
            self._mark("fail", "not pushed")
        self._fail(failure.refused(event), event.running)

    def _production(self, event: e.ProductionError) -> None:
        self._stop()
        first, *rest = fleet.production_error(event, self._symbols)
        self._print(Text(f"{self._clock().astimezone():%H:%M:%S}  {first}", style="red bold"))
        self._plain(rest, "")

    def _draw(self, lines: list[str]) -> None:
        """Puts lines in the place of those drawn before, until something else is shown."""
        picture = Text("\n".join(one_line(line) for line in lines))
        if self._area is None:
            self._area = LiveArea(picture, console=self._console, transient=True, redirect_stdout=False)
            self._area.start()
        self._area.update(picture, refresh=True)

    def _table(self, event: e.Event) -> None:
        self._stop()
        lines = tables.table(event, self._symbols, self._clock().isoformat())
        self._plain(lines if lines is not None else [clean_line(str(event.to_json()))], "")

    def _fail(self, lines: Iterable[str], running: int | None) -> None:
        self._stop()
        self._head = Text()
        first, *rest = [*lines] or [""]
        self._plain([first], "red bold" if first.startswith("error") else "")
        self._plain([*rest, *([failure.unchanged(self._target, running)] if running is not None else [])], "")

    def _mark(self, mark: str, text: str) -> None:
        style = {"ok": "green", "fail": "red", "wait": "yellow"}[mark]
        line = Text(MARGIN) + self._take_head()
        line.append(f"{getattr(self._symbols, mark)} ", style)
        line.append(text)
        self._print(line)

    def _take_head(self) -> Text:
        head, self._head = self._head, Text()
        return head

    def _start(self, command: str) -> None:
        self._stop()
        began = time.monotonic()

        def row() -> RenderableType:
            return Text(f"{MARGIN}{self._symbols.wait} gate {command}  {time.monotonic() - began:.1f} s", "dim")

        self._area = LiveArea(
            console=self._console, get_renderable=row, transient=True, refresh_per_second=8, redirect_stdout=False
        )
        self._area.start()

    def _stop(self) -> None:
        area, self._area = self._area, None
        if area is not None:
            area.stop()

    def _print(self, text: Text) -> None:
        plain = one_line(text.plain)
        self._console.print(text if plain == text.plain else Text(plain), soft_wrap=True)

    def _plain(self, lines: Iterable[str], style: str) -> None:
        for line in lines:
            self._print(Text(line, style=style))

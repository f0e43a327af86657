"""Gives living closures values for variables that their new code closes over and their old code did not.

Such a variable belongs to the function around the closure, which returned long ago. Where all that this function was
called with can be told from what the closure holds, it is called again, in its new form, and the closure it makes lends
its cells. Where not, the closure stays as it was and the report says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import CellType, CodeType, FunctionType
from typing import Any

from habanero_receiver.swap.diff import CodePair
from habanero_receiver.swap.finding.live import cell_content, reachable
from habanero_receiver.swap.report import ModuleReport
from habanero_receiver.swap.transaction import Transaction

from .born import Births
from .moves import apply, patch

_VARIADIC = 4 | 8  # inspect.CO_VARARGS, inspect.CO_VARKEYWORDS


@dataclass(frozen=True, slots=True)
class Rederive:
    """Calls the new maker again for one living closure, which takes over what the one that it made was born with."""

    function: FunctionType
    pair: CodePair
    outer: CodeType
    births: Births
    report: ModuleReport

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        cells = _cells(self.function)
        closure = tuple(cells[name] for name in self.outer.co_freevars)
        make = FunctionType(self.outer, self.function.__globals__, closure=closure or None)
        values = {name: cells[name].cell_contents for name in _parameters(self.outer)}
        positional = [values[name] for name in self.outer.co_varnames[: self.outer.co_argcount]]
        by_name = {name: values[name] for name in _parameters(self.outer)[self.outer.co_argcount :]}
        made = self._find(make(*positional, **by_name))
        if made is None:
            missed = f"{self.outer.co_qualname}, called again, did not give it"
            self.report.note_stale(called(self.function), f"it keeps its old code: {missed}")
            return
        born = dict(zip(made.__code__.co_freevars, made.__closure__ or (), strict=True))
        pairs = patch(self.function, made.__code__, born)
        pairs.extend(self.births.renew(self.pair, self.function, made).pairs)
        apply(pairs + work.copies.following(pairs), work.log)

    def _find(self, result: Any) -> FunctionType | None:
        for item in reachable([result], frozenset()):
            if isinstance(item, FunctionType) and item.__code__ is self.pair.new:
                return item
        return None


def rederivation(function: FunctionType, pair: CodePair, births: Births, report: ModuleReport) -> Rederive | None:
    """The step that renews a living closure, if what its maker was called with can be told from it."""
    outer = pair.outer
    if outer is None or outer.co_flags & _VARIADIC:
        return None
    cells = _cells(function)
    wanted = {*outer.co_freevars, *_parameters(outer)}
    if any(name not in cells or not cell_content(cells[name]) for name in wanted):
        return None
    return Rederive(function, pair, outer, births, report)


def called(function: FunctionType) -> str:
    """A closure's name as written, and the one that it shows where a decorator gave it that of another."""
    written = function.__code__.co_qualname
    return written if function.__qualname__ == written else f"{written} of {function.__qualname__}"


def _parameters(code: CodeType) -> tuple[str, ...]:
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _cells(function: FunctionType) -> dict[str, CellType]:
    return dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))

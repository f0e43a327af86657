"""The plan of a swap: which functions get new code, what is run and when, what is kept, what is refused.

`planner` fills it in, the engine carries it out. The plan itself decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

from .build import Build, Unit
from .diff import CodePair, Match
from .live import FunctionIndex
from .migrate import Migration
from .report import ModuleReport, Refusal
from .scope import Scope
from .steps import Define, Run, Step

COLD = "deploy this change with a restart"


@dataclass(frozen=True, slots=True)
class Patch:
    """A function's code that gives way to another, wherever the function lives."""

    pair: CodePair
    unit: Unit
    must: bool
    """Whether a living function that cannot take the new code refuses the swap: nothing else would renew it."""
    cells: Mapping[str, CellType]
    """What its closure may gain."""


@dataclass(slots=True)
class ModulePlan:
    """What a swap does to one live module."""

    module: ModuleType
    old: Build
    new: Build
    index: FunctionIndex
    scope: Scope
    report: ModuleReport
    alone: bool = True
    """Whether this is the only module that the swap changes."""
    patches: list[Patch] = field(default_factory=list)
    early: dict[str, Any] = field(default_factory=dict)
    """Names bound by what could be run while planning."""
    late: set[str] = field(default_factory=set)
    """Names whose values are known only inside the commit: bound by what is run there, or by what follows from it."""
    steps: list[Step] = field(default_factory=list)
    """What is run inside the commit, in order."""
    assignments: list[tuple[Any, str, Any]] = field(default_factory=list)
    """Attributes of modules and classes that change without running anything: owner, name, value."""
    changing: set[str] = field(default_factory=set)
    """Names whose values this swap may exchange."""
    kept: list[Unit] = field(default_factory=list)
    """Units that are not run again."""
    redefined: set[tuple[int, str]] = field(default_factory=set)
    """Which names of which namespaces a ``def`` that runs again binds."""
    superseded: set[int] = field(default_factory=set)
    """By identity: ``def``s whose name a later one, which does not run again, binds for good (``@overload``)."""
    migration: Migration = field(init=False)
    """The hooks by which live state moves to the new code."""

    def __post_init__(self) -> None:
        self.migration = Migration(self.scope.globals, self.scope.own_modules, self.report)

    def refuse(self, unit: Unit, reason: str, help: str = COLD) -> None:  # noqa: A002  # the word of the error form
        """Notes why a unit cannot be swapped."""
        refusal = Refusal(unit.key, unit.line, reason, help)
        if refusal not in self.report.refused:
            self.report.refused.append(refusal)

    def run_late(self, scope: Scope, old: Unit | None, new: Unit) -> None:
        """Has a new or changed unit run inside the commit."""
        if new.kind == "function":
            self.redefined.add((id(scope.owner), new.names[0]))
            self.steps.append(Define(scope, new, old, self.owners(old), id(new) not in self.superseded))
        else:
            self.steps.append(Run(scope, new))

    def note_superseded(self, matches: Iterable[Match]) -> None:
        """Finds, among the units of one body, the ``def``s that are not the last to bind their names."""
        new = [(match, match.new) for match in matches if match.new is not None]
        last = {name: match for match, unit in new for name in unit.names}
        for match, unit in new:
            final = last[unit.names[0]] if unit.kind == "function" else match
            if final is not match and final.same and final.new is not None and unit.names[0] not in final.new.reads:
                self.superseded.add(id(unit))

    def builds_on_redefined(self, scope: Scope, unit: Unit) -> bool:
        """Whether a kept unit decorates what the same name was bound to before, and that runs again (``@x.setter``)."""
        if unit.kind != "function" or unit.decorate is None or unit.names[0] not in unit.reads:
            return False
        return (id(scope.owner), unit.names[0]) in self.redefined

    def owners(self, unit: Unit | None) -> Callable[[], list[FunctionType]]:
        """Finds, when called, the living functions that a ``def`` left behind."""
        if unit is None or unit.kind != "function":
            return list
        codes = [c for c in unit.code.co_consts if isinstance(c, CodeType) and c.co_name == unit.names[0]]
        return lambda: [function for code in codes for function in self.index.of(code)]

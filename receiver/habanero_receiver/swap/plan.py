"""The plan of a swap: which functions get new code, what is run and when, what is kept, what is refused.

`planner` fills it in, the engine carries it out. The plan itself decides nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

from .building.units import Build, Unit
from .classes.facts import ClassIndex
from .containers.claims import Claimant
from .diff import CodePair, Match, defined_in, functions_in
from .finding.heap import instances_of
from .finding.live import FunctionIndex
from .following.makers import marks_of
from .functions.born import Births
from .kinds import is_a
from .migrate import Migration
from .report import ModuleReport, Refusal
from .showing.editions import Edition
from .statements.annotations import annotations_of
from .statements.body import Body
from .statements.scope import Scope
from .statements.steps import Define, Run, Settle, Step, Sweep

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
    edition: Edition
    """All code of the new build, under its own file name until the commit."""
    sources: tuple[bytes, bytes]
    """The old source and the new one."""
    alone: bool = True
    """Whether this is the only module that the swap changes."""
    matches: Sequence[Match] = ()
    """The units, old and new."""
    patches: list[Patch] = field(default_factory=list)
    unmade: list[CodeType] = field(default_factory=list)
    """Code of functions that were made inside others, and that these make no more."""
    early: dict[str, Any] = field(default_factory=dict)
    """Names bound by what could be run while planning."""
    late: set[str] = field(default_factory=set)
    """Names whose values are known only inside the commit: bound by what is run there, or by what follows from it."""
    follows: set[str] = field(default_factory=set)
    """Those of them that kept units bind."""
    steps: list[Step] = field(default_factory=list)
    """What is run inside the commit, in order."""
    assignments: list[tuple[Any, str, Any]] = field(default_factory=list)
    """Attributes of modules and classes that change without running anything: owner, name, value."""
    changing: set[str] = field(default_factory=set)
    """Names whose values this swap may exchange."""
    kept: list[Unit] = field(default_factory=list)
    """Units that are not run again."""
    rebound: set[tuple[int, str]] = field(default_factory=set)
    """Which names of which namespaces a unit that runs again binds."""
    passing: set[tuple[int, str]] = field(default_factory=set)
    """Those that a statement below it, which does not run, has the last word on."""
    fills: dict[int, Step] = field(default_factory=dict)
    """Steps that fill containers, by the identity of the last of the units that they stand for."""
    filled: set[int] = field(default_factory=set)
    """By identity: changed and new units, and ``del`` statements, that these run."""
    overruling: dict[tuple[str, str], Unit] = field(default_factory=dict)
    """Statements that do not run, and set or delete an attribute of a class: they have the last word on it."""
    settled: dict[int, frozenset[str]] = field(default_factory=dict)
    """What those steps see to in full: by the identity of new units, names of which nothing more follows for them."""
    refilled: set[int] = field(default_factory=set)
    """By identity: old units whose effects those steps take back."""
    claimants: tuple[Claimant, ...] = ()
    """The old statements that may have registered something."""
    forced: set[int] = field(default_factory=set)
    """By identity: unchanged units that must run, since what they fill is a new object."""
    again: set[int] = field(default_factory=set)
    """Those of them that register with it, and of which it holds nothing yet."""
    migration: Migration = field(init=False)
    """The hooks by which live state moves to the new code."""
    classes: ClassIndex = field(init=False)
    births: Births = field(init=False)
    """What functions that are made inside others are born with."""

    def __post_init__(self) -> None:
        self.migration = Migration(self.scope.globals, self.scope.own_modules, self.report)
        self.classes = ClassIndex(self.module)
        self.births = Births(
            self.sources, self.scope.globals, self.early, lambda: (self.late | self.changing) - self.early.keys()
        )

    def refuse(
        self, unit: Unit, reason: str, help: str = COLD, cls: type | None = None  # noqa: A002  # the word of the form
    ) -> None:
        """Notes why a unit cannot be swapped, and which living class cannot take it."""
        refusal = Refusal(unit.label, unit.line, reason, help, live="" if cls is None else _described(cls))
        if refusal not in self.report.refused:
            self.report.refused.append(refusal)

    def run_late(self, body: Body, old: Unit | None, new: Unit, ahead: FunctionType | None = None) -> None:
        """Has a new or changed unit run inside the commit; a method that was bound ``ahead`` of it stays the object."""
        scope, overruled = body.scope, body.binders.overruled.get(id(new), frozenset())
        former = self.function_of(body, body.former(new)) if old is None else list
        if new.kind == "function":
            hidden = body.hidden_from(new) if scope.owner is not None else frozenset[str]()
            owners = self.owners(old) if old is not None else former if ahead is None else lambda: [ahead]
            marks = marks_of(old, scope, body.old) if old is not None else frozenset[str]()
            among = body.among(old, new)
            self.steps.append(Define(scope, new, old, owners, not overruled, hidden, marks, among))
        else:
            self.steps.append(Run(body, new, body.hidden_from(new), old, former, self.claimants))
            self.passing.update((id(scope.owner), name) for name in overruled)

    def fill_after(self, unit: Unit | None) -> None:
        """Has filled what is filled by ``unit`` and statements before it, if it is the last of them."""
        if (fill := self.fills.get(id(unit))) is not None:
            self.steps.append(fill)

    def finish(self, body: Body) -> None:
        """Has what the old version left behind go, when the statements of a body have run."""
        home = body.scope.owner.__qualname__ if body.scope.owner is not None else ""
        leftovers = frozenset(name for name in body.leftovers() if (home, name) not in self.overruling)
        if leftovers:
            self.steps.append(Sweep(body, leftovers))
        if (annotations := annotations_of(body)) is not None:
            self.steps.append(annotations)

    def keep(self, body: Body, unit: Unit) -> None:
        """Lets a unit that is not run have the last word on what it binds."""
        scope = body.scope
        if any((id(scope.owner), name) in self.passing for name in unit.reads):
            self.report.note_stale(scope.path(unit.label), "what it read is bound otherwise further down")
        names = {n for n in body.binders.final.get(id(unit), ()) if (id(scope.owner), n) in self.passing}
        if names:
            self.steps.append(Settle(scope, unit, frozenset(names)))
            self.passing.difference_update((id(scope.owner), name) for name in names)

    def must_run(self, body: Body, unit: Unit) -> bool:
        """Whether an unchanged unit must run: what it is on runs again (``@x.setter``, ``f = wrap(f)``, ``del f``)."""
        if id(unit) in body.binders.promoted or id(unit) in self.forced:
            return True
        again = [name for name in unit.names if (id(body.scope.owner), name) in self.rebound]
        builds = unit.kind == "assign" or (unit.kind == "function" and unit.decorate is not None)
        deletes = unit.deletes and id(unit) not in self.filled
        return (deletes and bool(again)) or (builds and any(name in unit.reads for name in again))

    def function_of(self, body: Body, unit: Unit | None) -> Callable[[], list[FunctionType]]:
        """Finds, when called, the living function that a ``def``, or a lambda that was given a name, is bound to."""
        if unit is None or unit.kind not in ("function", "assign"):
            return list
        live = body.scope.get(unit.names[0])
        codes = functions_in(unit.code) if unit.kind == "assign" else defined_in(unit.code, unit.spelled)
        found = [function for code in codes for function in self.index.of(code) if function is live]
        return (lambda: found) if found else list

    def owners(self, unit: Unit | None) -> Callable[[], list[FunctionType]]:
        """Finds, when called, the living functions that a ``def`` left behind."""
        if unit is None or unit.kind != "function":
            return list
        codes = defined_in(unit.code, unit.spelled)
        return lambda: [function for code in codes for function in self.index.of(code)]


def _described(cls: type) -> str:
    """A living class in words, with how many instances it has. Costs time in proportion to the heap."""
    count = len(instances_of([cls]))
    what = "member" if is_a(cls, enum.EnumType) else "instance"
    return f"class {cls.__module__}.{cls.__qualname__}, {count} living {what}{'' if count == 1 else 's'}"

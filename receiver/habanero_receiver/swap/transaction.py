"""What the steps of one commit share: the undo log, the adapters, and what was changed so far.

It decides nothing and does nothing by itself. The rule it upholds: whatever a step or an adapter changes, it changes
through the log, so that the commit can be taken back from any point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

from .adapters.protocol import Adapter
from .building.units import Unit
from .containers.entries import place_of
from .containers.registry import Double
from .finding.graph import Graph, Mark
from .finding.heap import instances_of
from .following.classvars import ClassVars
from .functions.copies import Copies
from .kinds import is_a
from .report import SwapReport
from .statements.earlier import Earlier
from .undo import UndoLog


def _no_units(_: str) -> tuple[Unit, ...]:
    return ()


def _nothing(*_: object) -> None:
    """In place of what a commit of no module has nothing to do it with."""


def _search(cls: type) -> Iterable[object]:
    return instances_of([cls])


@dataclass(slots=True)
class Transaction:
    """One commit under way."""

    log: UndoLog
    graph: Graph
    """What the statements that register lead to."""
    began: Mark
    """When the commit began."""
    modules: Mapping[str, ModuleType] = field(default_factory=dict)
    """The app's own modules that are loaded, by name."""
    adapters: Sequence[Adapter] = ()
    units_of: Callable[[str], Sequence[Unit]] = _no_units
    """The units that a loaded module of the app is made of once this commit is done."""
    redefined: list[FunctionType] = field(default_factory=list)
    """Living functions whose ``def`` changed in more than its body: signature, defaults, annotations or decorators."""
    former: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """What modules that change bound when the commit began, by their names."""
    held: dict[tuple[int, str], object] = field(default_factory=dict)
    """What names were bound to before a statement binds them in passing, by namespace and name."""
    reshaped: list[type] = field(default_factory=list)
    """Living classes whose members changed in more than bodies."""

    copies: Copies = field(default_factory=Copies)
    """Who shows what a function shows."""
    report: SwapReport = field(default_factory=SwapReport)
    """What the swap did so far."""
    classvars: Sequence[ClassVars] = ()
    """Attributes of classes that it may change."""

    def note_doubles(self, module: str, doubles: Iterable[Double]) -> None:
        """Names in the report what the module's registrations may have left twice: not in a container made since."""
        for double in doubles:
            if not self.graph.knew(double.container, self.began):
                continue
            text = f"{place_of(double.container, self.modules)}: {double.entry}"
            if text not in self.report.of(module).doubled:
                self.report.of(module).doubled.append(text)

    instances_of: Callable[[type], Iterable[object]] = _search
    """The living instances of a class: what was found while planning, if they were looked for, and those made since."""
    documented: Mapping[int, Mapping[str, str | None]] = field(default_factory=dict)
    """Docstrings that changed: by the function's identity, what the "old" one was and the "new" one is."""
    earlier: Earlier | None = None
    """While a statement that runs again binds what it made: its older form."""
    forms: Mapping[int, Earlier] = field(default_factory=dict)
    """The older forms of statements that run again, as far as adapters ask for them, by their units' identity."""
    found: Sequence[object] = ()
    """Objects of the adapters' kinds, as staging found them."""

    arrange: Callable[[object, Sequence[tuple[Any, Any]]], None] = _nothing
    """For adapters: puts what they handed on to an object into the order of the statements that do so. Takes the
    object, and those of its tables that changed, each with what it held before."""

    def before(self, container: object) -> list[Any] | dict[Any, Any]:
        """What a list or mapping held when the commit began."""
        copies = self.graph.copies_at(self.began, container)
        return next((content for held, content in copies if held is container), [])

    def living(self, kind: object) -> list[Any]:
        """The living objects of a class that an adapter named among its `kinds`; none if it is no class."""
        if not is_a(kind, type):
            return []
        named = (value for module in self.modules.values() for value in list(vars(module).values()))
        return list({id(item): item for item in (*self.found, *named) if issubclass(type(item), kind)}.values())

    def replace(self, living: object, made: object) -> bool:
        """Whether an adapter had the object that others may hold take over what was made where it was bound."""
        if living is made or living is None or issubclass(type(living), (type, FunctionType)):
            return False
        return any(adapter.replace(self, living, made) for adapter in self.adapters)

    def succeed(self, function: object, successors: Mapping[int, tuple[object, object]]) -> bool:
        """Whether what the decorators of a kept function registered follows what they were given."""
        return not successors or any(adapter.succeed(self, function, successors) for adapter in self.adapters)

    def is_adapted(self, receiver: object) -> bool:
        """Whether an adapter knows what calling a method of this object, or a function of this module, registers."""
        if is_a(receiver, ModuleType):
            return any(adapter.library == receiver.__name__.partition(".")[0] for adapter in self.adapters)
        return any(issubclass(type(receiver), tuple(adapter.kinds())) for adapter in self.adapters)

    def handed_on(self, value: object) -> list[object]:
        """What a call registers that is given an object which stands for others."""
        if not self.is_adapted(value):
            return []
        return [part for adapter in self.adapters for part in adapter.handed_on(value)]

    def forget(self, function: object) -> None:
        """Has every adapter drop what its library registered for ``function``, which is about to be registered anew."""
        for adapter in self.adapters:
            adapter.forget(self, function)

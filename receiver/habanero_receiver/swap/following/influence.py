"""Finds which kept statements were computed by something that a swap changes, and what of it they read or call.

A statement that calls a function or method whose code changes, or one that in turn reads a constant that changes, would
give something else if it ran again. It does not run again. This file knows what changes, and asks `ran` what a
statement runs; it changes nothing and runs nothing.

What counts as called: what a statement or a function calls, by name or on objects, and what Python calls for it. Where
the result is a plain value, also what is only passed on (``map(rate, items)``): nothing else can have come of it.
Handlers that are handed to an app object are not called by that.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import CodeType, FunctionType, ModuleType
from typing import Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.classes.shapes import special_kind
from habanero_receiver.swap.diff import functions_in
from habanero_receiver.swap.interpreting.ran import Read
from habanero_receiver.swap.interpreting.values import Home
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.plan import ModulePlan
from habanero_receiver.swap.statements.scope import UNKNOWN

from .altered import Altered
from .causes import Cause, Trace
from .classvars import ClassVars, lineage
from .signatures import born_with
from .walks import Attribute, Walk, Walks, unwrapped


class Influence:
    """Knows what a swap may change, by name: constants and the like, and functions and classes by what they do."""

    def __init__(self, plans: Collection[ModulePlan], is_own: Any) -> None:
        self.is_own = is_own
        self.values: set[Home] = set()
        """Names that may be bound to another value."""
        self.classvars: Collection[ClassVars] = ()
        """Attributes of classes that may change."""
        self.stale: dict[Home, Callable[[], bool]] = {}
        """Names of what is kept and may be stale, and whether it is."""
        self.callers: set[Home] = set()
        """Functions and classes that do not change, and call what does, however many steps down."""
        self.altered = Altered(plans)
        for plan in plans:
            self.values.update((plan.module.__name__, bound) for bound in plan.changing | plan.late)
        self._walks = Walks(self.altered, is_own)

    def of(self, module: str) -> set[str]:
        """The names of a module by which it may reach others."""
        return {name for home, name in self.values | self.callers if home == module} | self.altered.names_of(module)

    def calls_own(self, unit: Unit, namespace: Mapping[str, Any]) -> bool:
        """Whether a statement itself calls anything of the app."""
        return any(self._leads_on(namespace.get(call.partition(".")[0])) for call in unit.calls)

    def spread(self, module: str, units: Sequence[Unit], namespace: Mapping[str, Any]) -> None:
        """Takes in the names that a module imports from what changes, or computes from it, and defaults that do."""
        self._spread_names(module, units)
        for home, living, names in _born_in(module, units, namespace):
            moved = sorted(name for name in names if (module, name) in self.values)
            reads = [Read((module, name), namespace.get(name, UNKNOWN), namespace) for name in moved]
            self._walks.note_born(home, living, reads)

    def _spread_names(self, module: str, units: Iterable[Unit]) -> None:
        for unit in units:
            taken = {i.bound for i in unit.imports if (i.module, i.name) in self.values}
            for item in unit.imports:
                if (item.module, item.name) in self.stale:
                    self.stale[module, item.bound] = self.stale[item.module, item.name]
            if unit.kind == "assign" and any((module, name) in self.values for name in unit.reads):
                taken.update(unit.names)
            self.values.update((module, name) for name in taken)

    def reach(self, modules: Iterable[tuple[str, Iterable[Unit], Mapping[str, Any]]]) -> None:
        """Takes in the callers among these kept units, given by module with its namespace."""
        waiting = [
            ((name, unit.names[0]), _names_in(unit), namespace)
            for name, units, namespace in modules
            for unit in units
            if unit.kind in ("function", "class") and self.is_own(name)
        ]
        before = -1
        while before != (before := len(self.callers)):
            for home, names, namespace in waiting:
                if home not in self.callers and self._any_reached(home[0], names, namespace):
                    self.callers.add(home)

    def _any_reached(self, module: str, names: frozenset[str], namespace: Mapping[str, Any]) -> bool:
        for name in names:
            value = namespace.get(name, UNKNOWN)
            if (module, name) in self.values or self._classvars_of(value, names) is not None:
                return True
            if is_a(value, ModuleType):
                if any(
                    (value.__name__, n) in known
                    for n in names
                    for known in (self.values, self.altered.tops, self.callers)
                ):
                    return True
            elif is_a(inner := unwrapped(value), (FunctionType, type)):
                if self._reaches(inner):
                    return True
            elif any(map(self._reaches, type(value).__mro__[:-1])):
                return True
        return False

    def _reaches(self, value: Any) -> bool:
        origin = (value.__module__, value.__qualname__)
        return origin in self.altered.tops or origin in self.callers

    def concerns(self, module: str, unit: Unit, namespace: Mapping[str, Any]) -> bool:
        """Whether a statement reads anything by which a change could reach it: a quick look, before it is traced."""
        if not (self.altered.tops or self.values or self.classvars):
            return False
        if self.altered.former(unit) is not None:
            return True
        return any((module, name) in self.values or self._leads_on(namespace.get(name)) for name in unit.reads)

    def _leads_on(self, value: Any) -> bool:
        if is_a(value, ModuleType):
            return bool(self.is_own(value.__name__))
        inner = unwrapped(value)
        if is_a(inner, (FunctionType, type)):
            return bool(self.is_own(inner.__module__ or ""))
        return bool(self.is_own(type(value).__module__))

    def trace(self, unit: Unit, namespace: Mapping[str, Any], inner: Mapping[str, Any], *, plain: bool) -> Trace:
        """What a kept statement was computed by; ``inner`` are the names of the class that it is in."""
        return self._judge(self._walks.statement(unit, namespace, inner, plain=plain))

    def trace_results(self, function: FunctionType) -> Trace:
        """What the results of a function that does not change were computed by."""
        return self._judge(self._walks.results(function))

    def _judge(self, walk: Walk) -> Trace:
        """What of all that was found changes."""
        found = Trace(filled=walk.filled, written=walk.written)
        for event in walk.events.values():
            if isinstance(event, Cause):
                found.causes.append(event)
            elif isinstance(event, Read):
                if event.home in self.values:
                    is_function = is_a(event.value, FunctionType)
                    value = event.value.__code__ if is_function else event.value
                    found.causes.append(Cause(event.home, is_function, event.now, value))
            elif isinstance(event, Attribute):
                if (item := self._classvars_of(event.owner, (event.name,))) is not None:
                    look = partial(item.value, event.name)
                    home = (event.home[0], f"{event.home[1]}.{event.name}")
                    found.causes.append(Cause(home, False, look, look()))
            else:
                causes = [*self._changes_in(event.owner)]
                found.causes += causes
                found.apart |= bool(causes)
        for home, stale in self.stale.items():
            if home in walk.opened and home in walk.read:
                read = walk.read[home]
                found.causes.append(Cause(home, False, read.now, read.value, stale))
                found.apart = True
        return found

    def _changes_in(self, owner: Any) -> Iterator[Cause]:
        """What changes of all that a module or class binds, for code that looks at all of it."""
        name = owner.__name__ if is_a(owner, ModuleType) else owner.__qualname__
        home = (str(vars(owner).get("__module__", name)), name)
        if is_a(owner, ModuleType):
            changed = any(module == name for module, _ in self.values)
        else:
            changed = any(item.cls is owner for item in self.classvars) or home in self._with_other_members()
        if changed:
            yield Cause(home, False, lambda: None, owner)

    def _with_other_members(self) -> set[Home]:
        """The classes that gain or lose methods."""
        return {(module, name) for module, name, _ in self.altered.members}

    def _classvars_of(self, value: Any, names: Iterable[str]) -> ClassVars | None:
        """The first that may change of those that reading one of these attributes of a value can give."""
        if not self.classvars:
            return None
        mro = lineage(value)
        return next((c for c in self.classvars if c.cls in mro and not c.names.isdisjoint(names)), None)


def _born_in(
    module: str, units: Iterable[Unit], space: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[Home, Any, frozenset[str]]]:
    """The functions of a body, with the names that their defaults read, and the classes that derive from fields."""
    for unit in units:
        if unit.kind == "function":
            yield (module, f"{prefix}{unit.names[0]}"), space.get(unit.names[0]), born_with(unit)
        elif unit.kind == "class" and is_a(cls := space.get(unit.names[0]), type):
            yield from _born_in(module, unit.members, vars(cls), f"{cls.__qualname__}.")
            if special_kind(cls) and not issubclass(cls, enum.Enum):
                fields = (member for member in unit.members if member.kind == "assign")
                yield (module, cls.__qualname__), cls, frozenset(read for member in fields for read in member.reads)


def _names_in(unit: Unit) -> frozenset[str]:
    """The names that calling a function, or a method of a class, may read, of globals and of attributes."""
    waiting = [
        code for item in ([unit] if unit.kind == "function" else unit.members) for code in functions_in(item.code)
    ]
    names: set[str] = set()
    for item in (unit, *unit.members):
        if item.kind == "function":
            names |= born_with(item)
        elif item.kind == "assign":
            names.update(item.reads)
    while waiting:
        code = waiting.pop()
        names.update(code.co_names)
        waiting.extend(inner for inner in code.co_consts if is_a(inner, CodeType))
    return frozenset(names)

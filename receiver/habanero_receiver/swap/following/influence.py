"""Finds which kept statements were computed by something that a swap changes, and what of it they read or call.

A statement that calls a function or method whose code changes, or one that in turn reads a constant that changes, would
give something else if it ran again. It does not run again. This file knows what changes, and asks `ran` what a
statement runs; it changes nothing and runs nothing.

What counts as called: what a statement or a function calls, by name or on objects, and what Python calls for it. Where
the result is a plain value, also what is only passed on (``map(rate, items)``): nothing else can have come of it.
Handlers that are handed to an app object are not called by that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import CodeType, FunctionType, ModuleType
from typing import Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.diff import functions_in
from habanero_receiver.swap.interpreting.meaning import plain_function
from habanero_receiver.swap.interpreting.ran import Ran, Read
from habanero_receiver.swap.interpreting.runs import Runs
from habanero_receiver.swap.interpreting.values import Home, Made, lineage_of
from habanero_receiver.swap.kinds import instance_dict, is_a
from habanero_receiver.swap.plan import ModulePlan
from habanero_receiver.swap.statements.scope import UNKNOWN

from .altered import Altered
from .classvars import ClassVars, lineage
from .constants import same_constant

_MAKING = ("__init__", "__new__", "__post_init__")
_MAX_RAN = 3_000


@dataclass(frozen=True, slots=True)
class Cause:
    """What a statement was computed by that changes."""

    home: Home
    called: bool
    look: Callable[[], Any]
    """Gives what it is now."""
    value: Any
    """What it is while staging."""

    stale: Callable[[], bool] | None = None
    """Of what is kept: whether that is stale."""

    def happened(self) -> bool:
        """Whether it did change, once the swap is carried out."""
        if self.stale is not None:
            return self.stale()
        now = self.look()
        if self.called or now is self.value:
            return self.called
        return not same_constant(now, self.value)

    def __str__(self) -> str:
        what = "changed" if self.stale is None else "is stale"
        return f"it {'calls' if self.called else 'reads'} {self.home[1]}, which {what}"


@dataclass(slots=True)
class Trace:
    """What was found on the way from one statement."""

    causes: list[Cause] = field(default_factory=list)
    filled: dict[Home, None] = field(default_factory=dict)
    """Names of the app's modules whose objects the statement could change, or that it binds."""
    written: dict[Home, None] = field(default_factory=dict)
    """Names that functions bind that it runs, or would run in their new form."""
    read: dict[Home, Read] = field(default_factory=dict)
    opened: dict[Home, None] = field(default_factory=dict)
    """The names of whose objects it looks at what they hold."""
    apart: bool = False
    """Whether there is a cause that is no name bound otherwise: what only computes does not follow that."""


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
        self._runs = Runs(is_own, self.altered.code_of)
        self._answer: dict[tuple[type, str], tuple[Home | None, Ran | None]] = {}

    def of(self, module: str) -> set[str]:
        """The names of a module by which it may reach others."""
        return {name for home, name in self.values | self.callers if home == module} | self.altered.names_of(module)

    def calls_own(self, unit: Unit, namespace: Mapping[str, Any]) -> bool:
        """Whether a statement itself calls anything of the app."""
        return any(self._leads_on(namespace.get(call.partition(".")[0])) for call in unit.calls)

    def spread(self, module: str, units: Iterable[Unit]) -> None:
        """Takes in the names that a module imports from what changes, or computes from it."""
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
            elif is_a(inner := _unwrapped(value), (FunctionType, type)):
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
        return any((module, name) in self.values or self._leads_on(namespace.get(name)) for name in unit.reads)

    def _leads_on(self, value: Any) -> bool:
        if is_a(value, ModuleType):
            return bool(self.is_own(value.__name__))
        inner = _unwrapped(value)
        if is_a(inner, (FunctionType, type)):
            return bool(self.is_own(inner.__module__ or ""))
        return bool(self.is_own(type(value).__module__))

    def trace(self, unit: Unit, namespace: Mapping[str, Any], inner: Mapping[str, Any], *, plain: bool) -> Trace:
        """What a kept statement was computed by; ``inner`` are the names of the class that it is in."""
        ran = self._runs.statement(unit.code, namespace, inner)
        kinds = {type(value) for name in unit.names if (value := inner.get(name, namespace.get(name))) is not None}
        return self._walk(ran, kinds, plain=plain)

    def trace_results(self, function: FunctionType) -> Trace:
        """What the results of a function that does not change were computed by."""
        return self._walk(self._runs.function(function), set(), plain=True)

    def _walk(self, first: Ran, kinds: Iterable[type], *, plain: bool) -> Trace:
        """Goes through all that one statement runs, and through methods that it asks of classes it deals with."""
        found = Trace()
        waiting, seen = [first], {first}
        met: dict[type, None] = dict.fromkeys(kinds)
        asked: dict[str, None] = {}
        answered: set[tuple[type, str]] = set()
        while waiting and len(seen) < _MAX_RAN:
            ran = self._runs.look(waiting.pop())
            more: list[Ran] = []
            if not self._note(found, ran, plain=plain):
                asked.update(ran.asked)
                met.update(dict.fromkeys(_dealt_with(ran)))
                more += [*ran.calls, *(self._passed_on(ran) if plain else ())]
            if not waiting:
                more += self._answers(found, [(c, n) for c in met for n in asked if (c, n) not in answered])
                answered.update((c, n) for c in met for n in asked)
            fresh = [item for item in dict.fromkeys(more) if item not in seen]
            seen.update(fresh)
            waiting.extend(reversed(fresh))
        for home in self.stale.keys() & found.opened.keys() & found.read.keys():
            read = found.read[home]
            found.causes.append(Cause(home, False, read.now, read.value, self.stale[home]))
            found.apart = True
        return found

    def _passed_on(self, ran: Ran) -> Iterator[Ran]:
        yield from map(self._runs.born, ran.born)
        for known in ran.passed:
            inner = _unwrapped(known.value)
            if is_a(inner, FunctionType) and self._runs.owns(inner):
                yield self._runs.function(inner)
            elif is_a(inner, type):
                yield from self._answers(Trace(), ((inner, name) for name in _MAKING))

    def _answers(self, found: Trace, asked: Iterable[tuple[type, str]]) -> Iterator[Ran]:
        """What names that were asked of unknown objects lead to, if these are of classes that were met."""
        for cls, name in asked:
            if (cls, name) not in self._answer:
                self._answer[cls, name] = self._method(cls, name)
            home, ran = self._answer[cls, name]
            if home is not None:
                self._cause(found, home)
            if ran is not None:
                yield ran

    def _method(self, cls: type, name: str) -> tuple[Home | None, Ran | None]:
        """What an instance of a class has by that name: the class that gains or loses it, and what it runs."""
        home: Home | None = None
        for above in lineage_of(cls):
            if not self._runs.owns(above):
                continue
            if (above.__module__, above.__qualname__, name) in self.altered.members:
                home = (above.__module__, f"{above.__qualname__}.{name}")
            if name not in vars(above):
                continue
            function = plain_function(vars(above)[name])
            if function is None or not self._runs.owns(function) or not function.__code__.co_argcount:
                break
            return home, self._runs.function(function, {function.__code__.co_varnames[0]: Made(cls)})
        return home, None

    def _note(self, found: Trace, ran: Ran, *, plain: bool) -> bool:
        """Takes in what one does itself; returns whether what it calls does not matter, since it changed."""
        if ran.home is not None and (ran.home in self.altered.code or (plain and ran.home in self.altered.making)):
            self._cause(found, ran.home)
            found.written.update(ran.written)
            found.written.update(self.altered.written_by(ran.home))
            found.filled.update(found.written)
            return True
        for read in ran.reads.values():
            if read.home in self.values and not callable(read.value):
                found.causes.append(Cause(read.home, False, read.now, read.value))
        for ((module, name), attribute), (value, _) in ran.attributes.items():
            if (item := self._classvars_of(value, (attribute,))) is not None:
                look = partial(item.value, attribute)
                found.causes.append(Cause((module, f"{name}.{attribute}"), False, look, look()))
        for cls in ran.made:
            for above in lineage_of(cls):
                if (above.__module__, above.__qualname__) in self.altered.code:
                    self._cause(found, (above.__module__, above.__qualname__))
        for cls, name in ran.looked:
            if (cls.__module__, cls.__qualname__, name) in self.altered.members:
                self._cause(found, (cls.__module__, f"{cls.__qualname__}.{name}"))
        for owner in ran.listed:
            causes = [*self._changes_in(owner)]
            found.causes += causes
            found.apart |= bool(causes)
        found.read.update(ran.reads)
        found.opened.update(ran.opened)
        found.written.update(ran.written)
        found.filled.update({**ran.touched, **ran.written})
        return False

    def _changes_in(self, owner: Any) -> Iterator[Cause]:
        """What changes of all that a module or class binds, for code that looks at all of it."""
        name = owner.__name__ if is_a(owner, ModuleType) else owner.__qualname__
        home = (str(vars(owner).get("__module__", name)), name)
        if is_a(owner, ModuleType):
            changed = any(module == name for module, _ in self.values)
        else:
            changed = any(item.cls is owner for item in self.classvars)
        if changed:
            yield Cause(home, False, lambda: None, owner)

    def _cause(self, found: Trace, home: Home) -> None:
        """Takes in something that is called and changed; what makes instances goes by the name of its class."""
        owner, _, name = home[1].rpartition(".")
        if owner and name in _MAKING:
            home = (home[0], owner)
        found.causes.append(Cause(home, True, lambda: None, None))

    def _classvars_of(self, value: Any, names: Iterable[str]) -> ClassVars | None:
        """The first that may change of those that reading one of these attributes of a value can give."""
        if not self.classvars:
            return None
        mro = lineage(value)
        return next((c for c in self.classvars if c.cls in mro and not c.names.isdisjoint(names)), None)


def _dealt_with(ran: Ran) -> Iterator[type]:
    """The classes that code makes instances of, names, or has instances of by name."""
    yield from ran.made
    for known in ran.passed:
        if is_a(known.value, type):
            yield known.value
    for read in ran.reads.values():
        yield type(read.value)


def _names_in(unit: Unit) -> frozenset[str]:
    """The names that calling a function, or a method of a class, may read, of globals and of attributes."""
    waiting = [
        code for item in ([unit] if unit.kind == "function" else unit.members) for code in functions_in(item.code)
    ]
    names: set[str] = set()
    while waiting:
        code = waiting.pop()
        names.update(code.co_names)
        waiting.extend(inner for inner in code.co_consts if is_a(inner, CodeType))
    return frozenset(names)


def _unwrapped(value: Any) -> Any:
    """The function that a wrapper was put around, as `functools.wraps` notes it."""
    for _ in range(10):
        inner = (instance_dict(value) or {}).get("__wrapped__") if callable(value) else None
        if inner is None:
            break
        value = inner
    return value

"""Finds which kept statements were computed by something that a swap changes, and what of it they read or call.

A statement that calls a function whose code changes, or one that in turn reads a constant that changes, would give
something else if it ran again. It does not run again. This file finds such statements, by the names that their code and
the code of the functions they call speak of; it changes nothing and runs nothing.

What counts as called: what a statement or a function calls by name. Where the result is a plain value, also what is
only passed on (``map(rate, items)``): nothing else can have come of it. Handlers that are handed to an app object are
not called by that. What methods call on ``self`` is not followed.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import CodeType, FunctionType, ModuleType
from typing import Any

from .building.units import Unit
from .classvars import ClassVars, lineage
from .constants import is_constant, same_constant
from .diff import same_behaviour, without_inner
from .kinds import instance_dict, is_a
from .makers import versions_of
from .plan import ModulePlan
from .scope import UNKNOWN
from .shapes import special_kind
from .uses import Read, Use, reads, uses

_MAKING = ("__init__", "__new__", "__post_init__")
_MAX_CODES = 2_000
Home = tuple[str, str]
"""A module and a name in it."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What a statement was computed by that changes."""

    home: Home
    called: bool
    look: Callable[[], Any]
    """Gives what it is now."""
    value: Any
    """What it is while staging."""

    def happened(self) -> bool:
        """Whether it did change, once the swap is carried out."""
        now = self.look()
        if self.called or now is self.value:
            return self.called
        return not same_constant(now, self.value)

    def __str__(self) -> str:
        return f"it {'calls' if self.called else 'reads'} {self.home[1]}, which changed"


@dataclass(slots=True)
class Trace:
    """What was found on the way from one statement."""

    causes: list[Cause] = field(default_factory=list)
    filled: dict[Home, None] = field(default_factory=dict)
    """Names of the app's modules whose objects the statement could change, or that it binds."""


class Influence:
    """Knows what a swap may change, by name: constants and the like, and functions and classes by what they do."""

    def __init__(self, plans: Iterable[ModulePlan], is_own: Any) -> None:
        self.is_own = is_own
        self.values: set[Home] = set()
        """Names that may be bound to another value."""
        self.code: set[Home] = set()
        """Functions and classes that do something else when they are called, or make functions that do."""
        self.classvars: Collection[ClassVars] = ()
        """Attributes of classes that may change."""
        self.callers: set[Home] = set()
        """Functions and classes that do not change, and call what does, however many steps down."""
        self._own_code: set[Home] = set()
        self._new: dict[Home, list[CodeType]] = {}
        self.versions: dict[Home, tuple[CodeType, CodeType]] = {}
        """The functions and methods that changed, in both forms."""
        self._uses: dict[tuple[int, bool], tuple[CodeType, tuple[Use, ...]]] = {}
        for plan in plans:
            name = plan.module.__name__
            self.values.update((name, bound) for bound in plan.changing | plan.late)
            self._compare(plan.module, plan.old.units, plan.new.units)
            self.versions |= versions_of(name, plan.matches)

    def _compare(self, module: ModuleType, old: Iterable[Unit], new: Iterable[Unit]) -> None:
        before = {unit.names[0]: unit for unit in old if unit.kind in ("function", "class")}
        for unit in new:
            if unit.kind not in ("function", "class"):
                continue
            home = (module.__name__, unit.names[0])
            was = before.get(unit.names[0])
            living = vars(module).get(unit.names[0])
            run = [unit] if unit.kind == "function" else filter(_makes, unit.members)
            self._new[home] = [code for item in run for code in _functions(item)]
            if was is None or was.kind != unit.kind or (is_a(living, type) and _fields_differ(living, was, unit)):
                self.code.add(home)
                self._own_code.add(home)
            elif not _alike(was, unit, whole=True):
                self.code.add(home)
                if not _alike(was, unit, whole=False):
                    self._own_code.add(home)

    def of(self, module: str) -> set[str]:
        """The names of a module by which it may reach others."""
        found = {name for home, name in self.values | self.code | self.callers if home == module}
        return found | {path.partition(".")[0] for home, path in self.versions if home == module}

    def calls_own(self, unit: Unit, namespace: Mapping[str, Any]) -> bool:
        """Whether a statement itself calls anything of the app."""
        return any(self._leads_on(namespace.get(call.partition(".")[0])) for call in unit.calls)

    def spread(self, module: str, units: Iterable[Unit]) -> None:
        """Takes in the names that a module imports from what changes, or computes from it."""
        for unit in units:
            taken = {i.bound for i in unit.imports if (i.module, i.name) in self.values}
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
                if any((value.__name__, n) in known for n in names for known in (self.values, self.code, self.callers)):
                    return True
            elif is_a(inner := _unwrapped(value), (FunctionType, type)):
                origin = (inner.__module__, inner.__qualname__)
                if origin in self.code or origin in self.callers:
                    return True
        return False

    def concerns(self, module: str, unit: Unit, namespace: Mapping[str, Any]) -> bool:
        """Whether a statement reads anything by which a change could reach it: a quick look, before it is traced."""
        if not (self.code or self.values or self.classvars):
            return False
        return any((module, name) in self.values or self._leads_on(namespace.get(name)) for name in unit.reads)

    def _leads_on(self, value: Any) -> bool:
        if is_a(value, ModuleType):
            return bool(self.is_own(value.__name__))
        inner = _unwrapped(value)
        return is_a(inner, (FunctionType, type)) and bool(self.is_own(inner.__module__ or ""))

    def trace(self, unit: Unit, namespace: Mapping[str, Any], *, plain: bool) -> Trace:
        """What a kept statement of the module with that namespace was computed by."""
        calls = frozenset(call.partition(".")[0] for call in unit.calls)
        return self._walk([(unit.code, namespace, calls)], plain=plain)

    def trace_results(self, function: FunctionType) -> Trace:
        """What the results of a function that does not change were computed by."""
        return self._walk([(function.__code__, function.__globals__, frozenset())], plain=True)

    def _walk(self, waiting: list[tuple[CodeType, Mapping[str, Any], frozenset[str]]], *, plain: bool) -> Trace:
        found = Trace()
        seen: set[int] = set()
        while waiting and len(seen) < _MAX_CODES:
            code, names, calls = waiting.pop()
            if id(code) in seen:
                continue
            seen.add(id(code))
            for read in reads(self._uses_of(code, everything=plain), names, calls, self.is_own):
                waiting.extend((inner, read.globals, frozenset()) for inner in self._note(found, read, plain=plain))
        return found

    def _uses_of(self, code: CodeType, *, everything: bool) -> tuple[Use, ...]:
        known = self._uses.get((id(code), everything))
        if known is None:
            known = self._uses[id(code), everything] = (code, uses(code, everything=everything))
        return known[1]

    def _note(self, found: Trace, read: Read, *, plain: bool) -> list[CodeType]:
        """Takes in one name that is read; returns the code that using it runs."""
        value, home = read.value, (read.module, read.name)
        if read.written:
            found.filled[home] = None
            return []
        if (item := self._classvars_of(value, (read.attribute,))) is not None:
            look = partial(item.value, read.attribute)
            found.causes.append(Cause((read.module, f"{read.name}.{read.attribute}"), False, look, look()))
        inner = _unwrapped(value)
        if is_a(inner, (FunctionType, type)) and self.is_own(inner.__module__ or ""):
            if not (read.called or plain):
                return []
            origin = (inner.__module__, inner.__qualname__)
            if origin in (self.code if plain else self._own_code):
                found.causes.append(Cause(origin, True, read.now, value))
                return []
            read.globals = inner.__globals__ if is_a(inner, FunctionType) else read.names
            return self._code_of(origin, inner)
        if home in self.values and not callable(value):
            found.causes.append(Cause(home, False, read.now, value))
        if not (is_constant(value) or callable(value) or is_a(value, ModuleType) or value is UNKNOWN):
            found.filled[home] = None
        return []

    def _classvars_of(self, value: Any, names: Iterable[str]) -> ClassVars | None:
        """The first that may change of those that reading one of these attributes of a value can give."""
        if not self.classvars:
            return None
        mro = lineage(value)
        return next((c for c in self.classvars if c.cls in mro and not c.names.isdisjoint(names)), None)

    def _code_of(self, home: Home, value: Any) -> list[CodeType]:
        if home in self._new:
            return self._new[home]
        if is_a(value, FunctionType):
            return [value.__code__]
        made = (vars(value).get(name) for name in _MAKING)
        return [member.__code__ for member in made if is_a(member, FunctionType)]


def _names_in(unit: Unit) -> frozenset[str]:
    """The names that calling a function, or making an instance of a class, may read, of globals and of attributes."""
    run = [unit] if unit.kind == "function" else filter(_makes, unit.members)
    waiting = [code for item in run for code in _functions(item)]
    names: set[str] = set()
    while waiting:
        code = waiting.pop()
        names.update(code.co_names)
        waiting.extend(inner for inner in code.co_consts if is_a(inner, CodeType))
    return frozenset(names)


def _functions(unit: Unit) -> list[CodeType]:
    return [c for c in unit.code.co_consts if is_a(c, CodeType) and c.co_name == unit.names[0]]


def _makes(member: Unit) -> bool:
    """Whether a member of a class runs when an instance is made."""
    return member.kind == "function" and member.names[0] in _MAKING


def _alike(old: Unit, new: Unit, *, whole: bool) -> bool:
    """Whether calling two forms of a function or class does the same; ``whole``: with the functions made in them."""
    if new.kind == "class":
        before, after = ({m.names[0]: m for m in unit.members if _makes(m)} for unit in (old, new))
        return before.keys() == after.keys() and all(_alike(before[n], after[n], whole=whole) for n in after)
    pairs = list(zip(_functions(old), _functions(new), strict=False))
    if old.outline != new.outline:
        return False
    return all(same_behaviour(*((a, b) if whole else map(without_inner, (a, b)))) for a, b in pairs)


def _fields_differ(cls: type, old: Unit, new: Unit) -> bool:
    """Whether instances of a class that makes its constructor from its body are made otherwise."""
    if not special_kind(cls) or issubclass(cls, enum.Enum):
        return False
    was, now = ({u.key: u.outline for u in unit.members if u.kind == "assign"} for unit in (old, new))
    return was != now


def _unwrapped(value: Any) -> Any:
    """The function that a wrapper was put around, as `functools.wraps` notes it."""
    for _ in range(10):
        inner = (instance_dict(value) or {}).get("__wrapped__") if callable(value) else None
        if inner is None:
            break
        value = inner
    return value

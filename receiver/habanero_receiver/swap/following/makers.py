"""Finds what changed code of the app did once for kept definitions: decorators, hooks of classes, metaclasses.

A decorator's body, an ``__init_subclass__`` or a metaclass's ``__init__`` runs when the definition does, and that does
not run again. The closures that it returned take their new code over. What it left otherwise is kept, and is named
here: attributes that it set on the definition, and containers that it filled. This file looks at code and runs nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.classes.shapes import own_init_subclass
from habanero_receiver.swap.containers.merge import CONTAINERS
from habanero_receiver.swap.diff import Match, functions_in, same_behaviour, without_inner
from habanero_receiver.swap.kinds import function_of, instance_dict, is_a
from habanero_receiver.swap.statements.paths import dotted_names
from habanero_receiver.swap.statements.scope import Scope

from .left import Given, Left, registered
from .marks import Marks, set_by

_METACLASS = ("__new__", "__init__", "__prepare__")


@dataclass(frozen=True, slots=True)
class _Maker:
    """A function of the app that ran for a definition."""

    function: FunctionType
    called: bool
    """Whether it was called for the decorator, which is a function inside it."""
    root: str
    """The name that it was reached by, if it is a method of what that is bound to."""


def left_by(unit: Unit, scope: Scope, marks: Marks) -> Iterator[Left]:
    """What changed code left of a kept ``def`` or class, and for it."""
    name = unit.names[0]
    made = scope.get(name)
    held = (instance_dict(made) if not is_a(made, type) else vars(made)) or {}
    written = {member for inner in unit.members for member in inner.names}
    for maker in _makers(unit, scope, made):
        version = marks.versions.get((maker.function.__module__, maker.function.__qualname__))
        why = f"{maker.function.__qualname__}, which changed, made it"
        known: set[str] = set()
        for old, new in _ran(version, called=maker.called) if version is not None else ():
            known |= {n for n in set_by(old) if n in held} | set_by(new)
            yield from _filled(old, maker, scope, why)
            yield from registered(old, new, maker.function, Given(name, made), scope)
        gained, lost = marks.otherwise(maker.function)
        indirect = f"what {maker.function.__qualname__} sets through others changed"
        for attribute in sorted((known | (gained - held.keys()) | (lost & held.keys())) - written):
            reason = why if attribute in known else indirect
            yield Left(str(scope.globals["__name__"]), f"{scope.path(name)}.{attribute}", reason)
    yield from _left_by_deleted(unit, scope, marks, held.keys())


def _left_by_deleted(unit: Unit, scope: Scope, marks: Marks, held: Collection[str]) -> Iterator[Left]:
    """What decorators set that the body itself makes and deletes (``del mark``): the text alone tells of them."""
    home, name = str(scope.globals["__name__"]), unit.names[0]
    for maker in sorted(dotted_names(unit.decorate)) if unit.decorate is not None else ():
        version = marks.versions.get((home, scope.path(maker)))
        if version is None or scope.binds(maker):
            continue
        for old, new in _ran(version, called=maker in unit.calls):
            for attribute in sorted((set_by(old) & {*held}) | set_by(new)):
                yield Left(home, f"{scope.path(name)}.{attribute}", f"{scope.path(maker)}, which changed, made it")


def not_asked(unit: Unit, scope: Scope, members: Container[tuple[str, str, str]]) -> Iterator[Left]:
    """A kept class, if a base of it gains or loses the hook that was asked of it when it was made.

    ``members`` are the methods that classes gain or lose: module, class, name.
    """
    cls = scope.get(unit.names[0])
    for above in cls.__mro__[1:] if is_a(cls, type) else ():
        if (above.__module__, above.__qualname__, "__init_subclass__") in members:
            why = f"{above.__qualname__}.__init_subclass__, which changed, is not asked again"
            yield Left(str(scope.globals["__name__"]), scope.path(unit.label), why)


def marks_of(unit: Unit, scope: Scope, body: Sequence[Unit]) -> frozenset[str]:
    """The attributes that the app's own decorators of a definition set on it, as the code says that made it.

    ``body`` are the units that the definition is one of: a decorator may be gone by its end (``del mark``).
    """
    found: set[str] = set()
    for code, called in _decorators(unit, scope, body):
        for ran in (code, *functions_in(code)) if called else (code,):
            found |= set_by(ran)
    return frozenset(found)


def _decorators(unit: Unit, scope: Scope, body: Sequence[Unit]) -> Iterator[tuple[CodeType, bool]]:
    """The code of those that are functions of the app, and whether it is called for the decorator."""
    for maker in _makers(unit, scope, None):
        yield maker.function.__code__, maker.called
    for name in dotted_names(unit.decorate) if unit.decorate is not None else ():
        if not scope.binds(name):
            passed = [other for other in body if other.kind == "function" and other.names[0] == name]
            yield from ((code, name in unit.calls) for other in passed[-1:] for code in _written(other))


def _makers(unit: Unit, scope: Scope, made: Any) -> Iterator[_Maker]:
    names = {**scope.globals, **scope.namespace()}
    if unit.decorate is not None:
        for path in sorted(dotted_names(unit.decorate)):
            yield from _own(path, names, scope, called=path in unit.calls)
    if unit.kind == "class" and is_a(made, type):
        hook = own_init_subclass(made, scope.is_own)
        kinds = [cls for cls in type.mro(type(made)) if scope.is_own(cls.__module__)]
        kind = [vars(cls).get(name) for cls in kinds for name in _METACLASS]
        for item in (hook, *kind):
            function = function_of(item)
            if is_a(function, FunctionType):
                yield _Maker(function, False, "")


def _own(path: str, names: Mapping[str, Any], scope: Scope, *, called: bool) -> Iterator[_Maker]:
    """The function of the app that a dotted name leads to, through modules, and then as a method."""
    root, *attributes = path.split(".")
    value, holder = names.get(root), None
    for name in attributes:
        holder = value
        if is_a(value, (ModuleType, type)):
            value = vars(value).get(name)
        else:
            value = next((vars(cls)[name] for cls in type(value).__mro__ if name in vars(cls)), None)
    bound = root if len(attributes) == 1 and not is_a(holder, (ModuleType, type)) else ""
    if is_a(value, MethodType):
        value = value.__func__
    if is_a(value, type) and scope.is_own(value.__module__):
        value, called = vars(value).get("__init__"), False
    while "__wrapped__" in (held := instance_dict(value) or {}):
        value = held["__wrapped__"]
    if is_a(value, FunctionType) and scope.is_own(value.__module__ or ""):
        yield _Maker(value, called, bound)


def _ran(version: tuple[CodeType | None, CodeType | None], *, called: bool) -> Iterator[tuple[CodeType, CodeType]]:
    """The code that ran, in both versions, as far as it changed."""
    before, after = version
    if before is None or after is None:
        return
    pairs = [(before, after)]
    if called:
        new = {code.co_name: code for code in functions_in(after)}
        pairs += [(code, new[code.co_name]) for code in functions_in(before) if code.co_name in new]
    for old, now in pairs:
        if not same_behaviour(without_inner(old), without_inner(now)):
            yield old, now


def _filled(code: CodeType, maker: _Maker, scope: Scope, why: str) -> Iterator[Left]:
    """The containers that code may have put the definition into."""
    names = maker.function.__globals__
    home = str(names["__name__"])
    if maker.root:
        yield Left(str(scope.globals["__name__"]), maker.root, why)
    for path in sorted(dotted_names(code)):
        root, _, attribute = path.partition(".")
        value, name = names.get(root), root
        if is_a(value, type) and attribute:
            name = ".".join([root, attribute.partition(".")[0]])
            value = vars(value).get(attribute.partition(".")[0])
        if type(value) in CONTAINERS:
            yield Left(home, name, why)


def versions_of(
    module: str, matches: Iterable[Match]
) -> dict[tuple[str, str], tuple[CodeType | None, CodeType | None]]:
    """The functions and methods of a module that changed, came or went."""
    found = {}
    for match in matches:
        before, after = (dict(_definitions(unit)) if unit is not None else {} for unit in (match.old, match.new))
        for path in {**before, **after}:
            old, new = before.get(path), after.get(path)
            if old is None or new is None or not same_behaviour(old, new):
                found[module, path] = (old, new)
    return found


def _definitions(unit: Unit) -> Iterator[tuple[str, CodeType]]:
    if unit.kind == "class":
        for member in unit.members:
            yield from _definitions(member)
    elif unit.kind == "function":
        yield from ((code.co_qualname, code) for code in _written(unit))


def _written(unit: Unit) -> list[CodeType]:
    """The code of the function that a ``def`` makes."""
    return [code for code in functions_in(unit.code) if code.co_name == unit.spelled]

"""Finds the objects with which changed code of the app registered a definition that is not registered again.

A decorator of the app can hand what it is given on to an object of a library (``app.get(path)(function)``), which the
engine does not look into. What that holds is as the old code left it; the object is named.

The rule that it upholds: an object is named only if it leads to the definition, so that it was given it. It looks at
code and at what lives, and runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

from habanero_receiver.swap.containers.merge import CONTAINERS
from habanero_receiver.swap.finding.live import reachable
from habanero_receiver.swap.functions.moves import is_plain
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.statements.paths import dotted_names
from habanero_receiver.swap.statements.scope import Scope


@dataclass(frozen=True, slots=True)
class Left:
    """What changed code left, by the module and the name of it, and why that is stale."""

    module: str
    name: str
    why: str
    maker: Any = None
    """The function that speaks of it by ``name``, if that is a path: what it means shows when all is carried out."""

    def places(self) -> Iterator[tuple[str, str]]:
        """The module and the name; none of a path that leads to nothing that can be registered with."""
        if self.maker is None:
            yield self.module, self.name
            return
        home, name, value = _object(self.name, self.maker)
        if may_hold(value):
            yield home, name


@dataclass(frozen=True, slots=True)
class Given:
    """A definition that was handed on, as its name is bound now."""

    name: str
    value: Any

    def is_in(self, holder: object, scope: Scope) -> bool:
        """Whether structure leads from an object to the definition."""
        home = (scope.globals["__name__"], scope.path(self.name))
        for item in reachable([holder], scope.own_modules):
            if item is self.value or (is_a(item, FunctionType) and (item.__module__, item.__qualname__) == home):
                return True
        return False


def registered(old: CodeType, new: CodeType, maker: FunctionType, given: Given, scope: Scope) -> Iterator[Left]:
    """The objects that ``maker``, of which these codes ran, speaks of by name and that hold what it was given.

    And those of which the new code speaks in their stead.
    """
    before, after = sorted(dotted_names(old)), sorted(dotted_names(new))
    why = f"{maker.__qualname__}, which changed, registered {given.name} with it"
    gone, known = False, set[int]()
    for path in dict.fromkeys((*before, *after)):
        home, name, value = _object(path, maker)
        if may_hold(value) and id(value) not in known and given.is_in(value, scope):
            known.add(id(value))
            gone = gone or not any(other.startswith(path.rpartition(".")[0]) for other in after)
            yield Left(home, name, why)
    for path in after if gone else ():
        if path not in before:
            now = f"{maker.__qualname__}, which changed, registers {given.name} with it"
            yield Left(maker.__module__, path, now, maker)


def may_hold(value: Any) -> bool:
    """Whether it is an object that can be a registry; containers are looked at otherwise."""
    named = is_plain(value) or is_a(value, (type, FunctionType, ModuleType))
    return not named and type(value) not in CONTAINERS


def _object(path: str, maker: FunctionType) -> tuple[str, str, Any]:
    """What the first of a path's names that is no module is bound to, with where that is and its name there."""
    space: dict[str, Any] = maker.__globals__
    home, value = str(space["__name__"]), None
    for name in path.split("."):
        value = space.get(name)
        if not is_a(value, ModuleType):
            return home, name, value
        space, home = vars(value), value.__name__
    return home, "", None

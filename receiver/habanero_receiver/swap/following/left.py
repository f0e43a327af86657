"""Finds the objects with which changed code of the app registered a definition that is not registered again.

A decorator of the app can hand what it is given on to an object of a library (``app.get(path)(function)``), which the
engine does not look into. What that holds is as the old code left it; the object is named.

The rule that it upholds: an object is named only if it leads to the definition, so that it was given it. It looks at
code and at what lives, and runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    """What changed code left: the module and the name of it, and why that is stale."""

    module: str
    name: str
    why: str


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


def registered(codes: Iterable[CodeType], maker: FunctionType, given: Given, scope: Scope) -> Iterator[Left]:
    """The objects that ``maker``, of which these codes ran, speaks of by name and that hold what it was given."""
    found = dict.fromkeys(path for code in codes for path in sorted(dotted_names(code)))
    met: dict[int, tuple[str, str, Any]] = {}
    for path in found:
        home, name, value = _object(path, maker)
        if not (is_plain(value) or is_a(value, (type, FunctionType, ModuleType)) or type(value) in CONTAINERS):
            met.setdefault(id(value), (home, name, value))
    for home, name, value in met.values():
        if given.is_in(value, scope):
            yield Left(home, name, f"{maker.__qualname__}, which changed, registered {given.name} with it")


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

"""Finds the class that a statement made, where its decorators bound the name to something else.

``@wrap class A`` may bind a subclass of ``A``, a function that makes instances (a singleton), or an object. What the
statement made is told by its name, its module and its members; nothing of the app is run to find it.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.diff import defined_in
from habanero_receiver.swap.finding.live import reachable
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.statements.scope import Scope


def class_of(bound: Any, unit: Unit, scope: Scope) -> type | None:
    """The living class that ``unit``, an older statement of ``scope``, made, given what its name is bound to.

    None if it cannot be told.
    """
    made = [cls for cls in _classes_behind(bound, unit, scope) if _is_made_by(cls, unit, scope)]
    if unit.decorate is None:
        return made[0] if made else None
    codes = {code for member in unit.members for code in defined_in(member.code, member.spelled)}
    sure = [cls for cls in made if any(is_a(f, FunctionType) and f.__code__ in codes for f in vars(cls).values())]
    found = sure or [cls for cls in made if _has_methods(cls, unit)]
    if len(found) != 1 and not any(cls is bound for cls in found):  # slots make another one of the same members
        return None
    return bound if len(found) != 1 else found[0]


def _classes_behind(bound: Any, unit: Unit, scope: Scope) -> list[type]:
    """The classes that structure leads to from what the name is bound to; that alone where nothing decorates it."""
    if unit.decorate is None:
        return [bound] if is_a(bound, type) else []
    found: dict[int, type] = {}
    for item in reachable([bound], scope.own_modules):
        for cls in (item if is_a(item, type) else type(item)).__mro__:
            found.setdefault(id(cls), cls)
    return list(found.values())


def _is_made_by(cls: type, unit: Unit, scope: Scope) -> bool:
    """Whether a class has the name and, where it may be another's, the home that the statement gives."""
    named = cls.__qualname__.rpartition(".")[2] == unit.spelled
    return named and (unit.decorate is None or cls.__module__ == scope.globals["__name__"])


def _has_methods(cls: type, unit: Unit) -> bool:
    """Whether the class has, itself, the methods that the statement defines; a wrapper of the same name has others."""
    return all(name in vars(cls) for member in unit.members if member.kind == "function" for name in member.names)

"""Members that a library marks with its decorators, in classes that the same library makes: it may read bodies once.

A schema's ``@pre_load``, a cog's ``@command``: what makes the class, a metaclass or a decorator of the library, looks
through the body for them, and is not asked again. Where the engine makes a twin of the class, it is; elsewhere such a
member can change its body, but neither come nor go nor change its decorators. It tells by packages, and runs nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.diff import Match
from habanero_receiver.swap.kinds import home_of, is_a

from .shapes import can_follow, makes_classes_only

if TYPE_CHECKING:
    from habanero_receiver.swap.plan import ModulePlan


def marked(plan: ModulePlan, cls: type, header: Unit, match: Match) -> str:
    """The package that marks a changed member of a living class and made the class itself; empty if there is none.

    ``header`` is the class statement that made it.
    """
    member = match.new or match.old
    if member is None or member.kind != "function":
        return ""
    if match.old is not None and match.new is not None and match.old.decorators == match.new.decorators:
        return ""
    makers = {*_packages(plan, header.decorate)}
    if not makes_classes_only(type(cls)) and not can_follow(cls, plan.scope.is_own):
        makers.add(_package(type(cls).__module__))
    units = [unit for unit in (match.old, match.new) if unit is not None]
    marks = {package for unit in units for package in _packages(plan, unit.decorate)}
    return next((name for name in sorted(makers & marks) if name not in sys.stdlib_module_names), "")


def _packages(plan: ModulePlan, decorate: CodeType | None) -> Iterator[str]:
    """The packages outside of the app that the names in decorators come from, by the imports or as they are bound."""
    for name in decorate.co_names if decorate is not None else ():
        value = plan.scope.globals.get(name)
        imports = (i.module for unit in plan.new.units for i in unit.imports if i.bound == name)
        home = value.__name__ if is_a(value, ModuleType) else home_of(value)
        for module in (*imports, *([home] if home is not None else ())):
            if not plan.scope.is_own(module):
                yield _package(module)


def _package(module: str) -> str:
    return module.partition(".")[0]

"""What was collected from the methods of a class when it was made: tables of handlers, lists of commands.

A hook of the app (``__init_subclass__``, a metaclass) that looked through the body would find other methods now, and is
asked again, by way of a twin. A decorator is not: what it collected is named as stale. It tells what was collected by
what it holds, and runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from types import FunctionType
from typing import TYPE_CHECKING

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.diff import Match
from habanero_receiver.swap.following.makers import marks_of
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.statements.scope import Scope

from .shapes import own_init_subclass

if TYPE_CHECKING:
    from habanero_receiver.swap.plan import ModulePlan


def collected_anew(cls: type, old: Unit, members: Sequence[Match]) -> list[str]:
    """The attributes that hold what was collected from methods, if the class gains or loses any.

    ``old`` is the statement that made it. Empty containers count: they may hold what the class has not got yet.
    """
    moved = [match.new or match.old for match in members if None in (match.old, match.new)]
    if not any(unit is not None and unit.kind == "function" for unit in moved):
        return []
    bound = {name for member in old.members for name in member.names}
    methods = {id(value) for value in vars(cls).values() if is_a(value, FunctionType)}
    found = []
    for name, value in vars(cls).items():
        if name in bound or name.startswith("__") or type(value) not in (dict, list, tuple, set):
            continue
        held = value.values() if is_a(value, dict) else value
        if not held or any(id(part) in methods for part in held):
            found.append(name)
    return found


def asks_hooks(cls: type, is_own: Callable[[str], bool]) -> bool:
    """Whether hooks of the app run when the class is made."""
    return own_init_subclass(cls, is_own) is not None or is_own(type(cls).__module__)


def name_collected(plan: ModulePlan, old: Unit, around: Scope, cls: type, collected: Collection[str]) -> None:
    """Names those that a decorator of the app made."""
    body = plan.old.units if around.owner is None else ()
    for name in sorted(marks_of(old, around, body) & {*collected}):
        plan.report.note_stale(f"{cls.__qualname__}.{name}", "a decorator made it of the methods that the class had")

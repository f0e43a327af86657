"""Looks, while staging, whether a living class can take what its new body derives, where that can be seen by no one.

The twin that the commit would make is made and dropped again. What cannot be looked at so (the app's own hooks, values
that are known only in the commit) is left to the commit, which checks again and undoes everything if it cannot be.
"""

from __future__ import annotations

import enum
from contextlib import suppress
from typing import Any

from habanero_receiver.swap.building.units import CALLS, Unit
from habanero_receiver.swap.finding.heap import instances_of
from habanero_receiver.swap.finding.live import orphan
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.plan import COLD, ModulePlan

from .enums import check_members
from .layouts import LayoutError
from .shapes import is_named_tuple, own_init_subclass
from .tuples import check_fields
from .twins import Reshape

_MAKERS = ("__new__", "__init__", "_generate_next_value_")
"""Functions of an enum's body that have a say in its members."""


def preview_class(plan: ModulePlan, reshape: Reshape) -> None:
    """Refuses the new body of a living class, if it can be told now that the class cannot take it."""
    cls, scope = reshape.cls, reshape.scope
    if type(cls).__module__ not in ("builtins", "abc", "enum"):
        return  # libraries' own metaclasses take their time
    changed = [unit for m in reshape.members if not m.same for unit in (m.old, m.new) if unit is not None]
    makers = any(unit.kind == "function" and unit.names[0] in _MAKERS for unit in changed)
    if makers or scope.is_own(type(cls).__module__) or own_init_subclass(cls, scope.is_own) is not None:
        return
    called = [plan.scope.lookup(root) for root in reshape.unit.call_roots]
    if not all(map(scope.is_outside, called)) or not all(_unseen(plan, u) for u in changed if u.kind != "function"):
        return
    twins: list[type] = []
    try:
        with suppress(Exception):  # the commit will meet it again, and tell
            twin = reshape.make_twin(twins)
            _judge(plan, reshape.unit, cls, twin, reshape)
    finally:
        for twin in twins:
            orphan(twin)


def preview_call(plan: ModulePlan, unit: Unit) -> None:
    """As `preview_class`, for ``Point = namedtuple(...)`` and ``Color = Enum(...)``."""
    living = plan.scope.globals.get(unit.names[0]) if len(unit.names) == 1 else None
    if unit.kind != "assign" or not is_a(living, type) or not _unseen(plan, unit):
        return
    if not is_named_tuple(living) and not is_a(living, enum.EnumType):
        return
    names: dict[str, Any] = dict(plan.early)
    with suppress(Exception):  # as above
        plan.scope.run(unit.code, names)
    made = names.get(unit.names[0])
    if is_a(made, type) and made is not living and type(made) is type(living):
        if (made.__module__, made.__qualname__) == (living.__module__, living.__qualname__):
            if is_named_tuple(living):
                plan.migration.filled.append(living)
            _judge(plan, unit, living, made, None)
        orphan(made)


def _unseen(plan: ModulePlan, unit: Unit) -> bool:
    """Whether evaluating it now is seen by no one, and gives what the commit would get."""
    later = (plan.late | plan.changing) - set(unit.names)
    outside = all(plan.scope.is_outside(plan.scope.lookup(root)) for root in unit.call_roots)
    return unit.effect <= CALLS and outside and later.isdisjoint(unit.reads)


def _judge(plan: ModulePlan, unit: Unit, cls: Any, twin: Any, reshape: Reshape | None) -> None:
    try:
        if reshape is not None:
            reshape.check(twin)
        if is_a(cls, enum.EnumType):
            check_members(cls, twin)
        elif is_named_tuple(cls) and cls._fields != twin._fields:
            check_fields(cls, twin, instances_of([cls]))
    except LayoutError as error:
        plan.refuse(unit, str(error), error.help or COLD, cls)

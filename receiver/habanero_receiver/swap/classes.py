"""Plans what happens to a living class whose statement changed: members move into it, it stays the same object."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .build import Unit
from .diff import Match, match_units
from .functions import class_cell
from .plan import ModulePlan
from .steps import Decorate, FinishClass, Rebase, Remove, Scope


def plan_class(plan: ModulePlan, old: Unit, new: Unit, cls: Any) -> None:
    """Plans the move of the living ``cls`` from ``old`` to ``new``; refuses what it cannot take."""
    from .planner import patches  # the two call each other: a class is a unit, and has some

    members = match_units(old.members, new.members)
    living = isinstance(cls, type) and cls.__qualname__.rpartition(".")[2] == new.names[0]
    cells = class_cell(cls) if living else {}
    for match in members:
        if match.new is None or match.new.kind != "class":
            plan.patches.extend(patches(match, cells))
    if not living:
        if old.outline != new.outline or not all(match.same for match in members):
            plan.refuse(new, f"the name is bound to {type(cls).__name__!r} in the live module, not to the class")
        return
    if old.line != new.line and "__firstlineno__" in vars(cls):
        plan.assignments.append((cls, "__firstlineno__", new.line))
    if old.doc != new.doc and cls.__doc__ == old.doc:
        plan.assignments.append((cls, "__doc__", new.doc))
    steps_before = len(plan.steps)
    header = _plan_header(plan, old, new, cls)
    scope = replace(plan.scope, owner=cls)
    bound = {name for match in members if match.new is not None for name in match.new.names}
    for match in members:
        _plan_member(plan, scope, match, bound)
    if header and old.decorators != new.decorators:
        plan.steps.append(Decorate(plan.scope, new, cls))
    if len(plan.steps) > steps_before:
        plan.steps.append(FinishClass(cls))
    if len(plan.steps) == steps_before:
        plan.kept.append(new)
        plan.report.kept += 1


def _plan_header(plan: ModulePlan, old: Unit, new: Unit, cls: type) -> bool:
    """Plans the change of bases; refuses what makes it another class. Returns whether the header changed."""
    if old.outline == new.outline:
        return False
    plan.report.run.append(new.key)
    was, now = old.outline.split(":"), new.outline.split(":")
    if was[0] != now[0]:
        plan.refuse(new, "its metaclass, keywords or type parameters changed, which a living class cannot take")
    elif special_kind(cls) and (was[1] != now[1] or was[2] != now[2]):
        plan.refuse(new, f"the bases or decorators of {special_kind(cls)} changed, which a living one cannot take")
    elif was[1] != now[1]:
        if cls.__bases__ == (object,):
            plan.refuse(new, "it had no bases: Python cannot give a living class of its layout new ones")
        else:
            plan.steps.append(Rebase(plan.scope, new, cls))
    return True


def _plan_member(plan: ModulePlan, scope: Scope, match: Match, bound: set[str]) -> None:
    old, new = match.old, match.new
    cls = scope.owner
    assert cls is not None  # members are planned with their class
    if old is not None and new is not None and new.kind == "class":
        plan_class(plan, old, new, vars(cls).get(new.names[0]))
        return
    if match.same:
        return
    unit = new or old
    assert unit is not None  # a match has one of the two
    if "__slots__" in unit.names:
        plan.refuse(unit, f"class {cls.__qualname__} cannot change its slots while it lives")
    elif unit.kind != "function" and (kind := special_kind(cls)) and not _is_plain_member(kind, unit):
        plan.refuse(unit, f"{cls.__qualname__} is {kind}, whose fields cannot change while it lives")
    elif new is None:
        names = tuple(name for name in unit.names if name not in bound)
        plan.steps.append(Remove(scope, unit, names, plan.owners(unit)))
        plan.report.removed.append(f"{cls.__qualname__}.{unit.key}")
    else:
        plan.report.run.append(f"{cls.__qualname__}.{new.key}")
        plan.run_late(scope, old, new)


def special_kind(cls: type) -> str:
    """What kind of class derives more from its body than its members, in words; empty for plain classes."""
    if "__dataclass_fields__" in vars(cls):
        return "a dataclass"
    if "__attrs_attrs__" in vars(cls):
        return "an attrs class"
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return "a named tuple"
    if type(cls).__module__ not in ("builtins", "abc", "typing"):
        return f"a class made by {type(cls).__module__}.{type(cls).__qualname__}"
    return ""


def _is_plain_member(kind: str, unit: Unit) -> bool:
    """Whether a member that is no function is none of the class's fields."""
    return kind == "a dataclass" and unit.kind == "assign" and not unit.key.endswith(": ")

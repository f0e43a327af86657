"""Plans what becomes of attributes that statements of a module set or delete: ``C.late = 3``, ``del C.b``, ``f.x = 1``.

A statement that goes is taken back where the sources tell what was there before it: of a class, what its own body
binds, or nothing; of a function, nothing. Elsewhere (an instance, a module, a class of another module) what it did
stays, and the report names it. A statement that stays has the last word on an attribute that the class's body binds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import FunctionType

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.classes.shapes import special_kind
from habanero_receiver.swap.diff import Match, docstring, functions_in, match_units
from habanero_receiver.swap.following.constants import same_constant
from habanero_receiver.swap.following.suspects import evaluated
from habanero_receiver.swap.kinds import instance_dict, is_a
from habanero_receiver.swap.plan import ModulePlan
from habanero_receiver.swap.transaction import Transaction

from .body import Body
from .scope import Scope

_BORN_WITH = ("__name__", "__qualname__", "__module__", "__dict__", "__code__", "__defaults__", "__kwdefaults__",
              "__annotations__", "__type_params__", "__bases__", "__class__")  # fmt: skip
"""What statements of functions and classes set by themselves, besides documentation."""


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Takes an attribute from a class or function, or gives it the documentation that it was born with."""

    scope: Scope
    name: str
    attribute: str
    doc: str | None

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        target = self.scope.get(self.name)
        if self.attribute == "__doc__":
            work.log.do((setattr, target, "__doc__", self.doc), (setattr, target, "__doc__", target.__doc__))
        elif is_a(target, type):
            work.log.delete_class_attribute(target, self.attribute)
        elif (held := instance_dict(target)) is not None:
            work.log.delete_item(held, self.attribute)


def plan_attributes(plan: ModulePlan, body: Body) -> None:
    """Plans to take back what statements that are gone, or are others now, did to attributes."""
    old = [match.old for match in body.matches if match.old is not None and not match.same]
    gone = {pair: unit for unit in old for pair in unit.attributes}
    for name, attribute in sorted(gone.keys() - written(body).keys()):
        last = next((unit for unit in reversed(plan.new.units) if name in unit.names), None)
        if last is not None and not _take_back(plan, body, last, name, attribute):
            plan.report.stale.append(f"{name}.{attribute} =")


def force_readers(plan: ModulePlan, body: Body) -> None:
    """Has plain values computed again that were read from attributes which changed statements set: ``b = f.mark``."""
    changed = {
        pair
        for match in body.matches if not match.same
        for unit in (match.old, match.new) if unit is not None
        for pair in unit.attributes
    }  # fmt: skip
    for unit in (match.new for match in body.matches if match.same and match.new is not None) if changed else ():
        read = [f"{n}.{a}" for n, a in sorted(changed) if n in unit.reads and a in unit.code.co_names]
        if unit.kind != "assign" or not read:
            continue
        made = evaluated(unit, body.scope)
        if made is None:
            plan.report.note_stale(body.scope.path(unit.label), f"it reads {', '.join(read)}, which changed")
        elif all(same_constant(body.scope.get(name), value) for name, value in made.items()):  # not set otherwise since
            plan.forced.add(id(unit))


def written(body: Body, *, kept: bool = False) -> dict[tuple[str, str], Unit]:
    """The attributes that statements of the new version set or delete; of those alone that do not run, if ``kept``."""
    units = [match.new for match in body.matches if match.new is not None and (match.same or not kept)]
    return {pair: unit for unit in units for pair in unit.attributes}


def _take_back(plan: ModulePlan, body: Body, last: Unit, name: str, attribute: str) -> bool:
    """Plans to undo one attribute of what the unit ``last`` binds; returns whether that is known to do it."""
    target = body.scope.get(name)
    if attribute in _BORN_WITH:
        return False
    if is_a(target, FunctionType) and last.kind == "function" and last.decorate is None:
        code = next((code for code in functions_in(last.code) if code.co_name == name), target.__code__)
        plan.steps.append(TakeBack(body.scope, name, attribute, docstring(code)))
        return True
    if not is_a(target, type) or last.kind != "class" or special_kind(target):
        return False
    members = [member for member in last.members if attribute in member.names]
    if not members:
        plan.steps.append(TakeBack(body.scope, name, attribute, last.doc))
        return True
    return _bind_again(plan, body, target, last, members[-1])


def _bind_again(plan: ModulePlan, body: Body, cls: type, unit: Unit, member: Unit) -> bool:
    """Has a member of a living class run, unless it does so anyway."""
    if member.kind not in ("function", "assign"):
        return False
    old = next((match.old for match in body.matches if match.new is unit), None)
    changed = [match.new for match in match_units(old.members if old else (), unit.members) if not match.same]
    if not any(member is new for new in changed):
        inner = Body.of(replace(body.scope, owner=cls), unit.members, [Match(m, m) for m in unit.members])
        plan.report.run.append(f"{cls.__qualname__}.{member.label}")
        plan.run_late(inner, member if member.kind == "function" else None, member)
    return True

"""Plans what happens to a living class whose statement changed: members move into it, it stays the same object."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from habanero_receiver.swap.adapters import Adapter, MemberChange, owner_of
from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.containers.fills import plan_fills
from habanero_receiver.swap.diff import Match, match_units, pair_code
from habanero_receiver.swap.following.derived import FollowMembers
from habanero_receiver.swap.following.makers import marks_of
from habanero_receiver.swap.functions.moves import class_cell
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.plan import ModulePlan
from habanero_receiver.swap.statements.body import Body
from habanero_receiver.swap.statements.heirs import plan_heirs
from habanero_receiver.swap.statements.scope import Scope
from habanero_receiver.swap.statements.steps import Remove

from .ahead import bind_ahead
from .collected import asks_hooks, collected_anew, name_collected
from .fill import keeps_no_defaults
from .headers import Decorate, DeriveAgain, FinishClass, Rebase
from .marked import marked
from .preview import preview_class
from .shapes import DERIVED, can_follow, derives, is_field, is_named_tuple, special_kind
from .twins import Reshape, runs_unseen, subclasses_of
from .wrapped import class_of


def plan_class(plan: ModulePlan, old: Unit, new: Unit, cls: Any, around: Scope) -> Unit | None:
    """Plans the move of the living ``cls`` from ``old`` to ``new``; refuses what it cannot take.

    Returns the unit with those of its members alone that are not run again; None if the class is not there.
    """
    from habanero_receiver.swap.planner import plan_code  # the two call each other: a class is a unit, and has some

    members = match_units(old.members, new.members)
    living = class_of(cls, old, around)
    cells = class_cell(living) if living is not None else {}
    for match in members:
        if match.new is None or match.new.kind != "class":
            plan_code(plan, match, cells)
    if living is None:
        if old.outline != new.outline or not all(match.same for match in members):
            plan.refuse(new, f"the name is bound to {type(cls).__name__!r} in the live module, not to the class")
        return None
    steps_before = len(plan.steps)
    kept = _plan_changes(plan, _Class(old, new, living, around, tuple(members), again=id(new) in plan.again))
    if len(plan.steps) > steps_before or any(map(_answers_otherwise, members)):
        plan.steps.append(FinishClass(living, _bound(old.members), _bound(new.members)))
    else:
        plan.report.kept += 1
    return new._replace(members=tuple(kept))


def _answers_otherwise(match: Match) -> bool:
    """Whether it is a changed hook whose answers abstract classes keep."""
    if match.old is None or match.new is None or "__subclasshook__" not in match.new.names:
        return False
    return any(pair.changed for pair in pair_code(match.old.code, match.new.code))


@dataclass(frozen=True, slots=True)
class _Class:
    """A living class and what becomes of it."""

    old: Unit
    new: Unit
    cls: type
    around: Scope
    members: tuple[Match, ...]
    again: bool
    """Whether it is to be registered again, by its decorators and the app's own hooks."""

    def differs(self, part: int) -> bool:
        """Whether a part of the header changed: 0 what makes it another class, 1 bases, 2 decorators, 3 keywords."""
        if part == 2 and self.again and self.new.decorate is not None:
            return True
        return self.old.outline.split(":")[part] != self.new.outline.split(":")[part]


def _plan_changes(plan: ModulePlan, item: _Class) -> list[Unit]:
    """Plans all that changes; returns the members that are kept."""
    cls, is_own = item.cls, plan.scope.is_own
    if item.again or item.old.outline != item.new.outline:
        plan.report.run.append(item.new.label)
    kind = special_kind(cls)
    owner = owner_of(cls)
    fields = owner is None and any(
        not (match.same and not match.reannotated) and is_field(cls, _unit(match)) for match in item.members
    )
    if owner is None and kind and item.old.doc != item.new.doc and None in (item.old.doc, item.new.doc):
        fields = fields or can_follow(cls, is_own)  # without a docstring some derive one
    if owner is None and (collected := collected_anew(cls, item.old, item.members)):
        fields = fields or asks_hooks(cls, is_own)
        if not asks_hooks(cls, is_own) and not kind and not item.differs(2):
            name_collected(plan, item.old, item.around, cls, collected)
    fields = fields or (owner is None and item.again and asks_hooks(cls, is_own))
    redone = owner is None and derives(cls, is_own) and (fields or (bool(kind) and item.differs(2)))
    reshape = redone or item.differs(3)
    if item.differs(0):
        plan.refuse(item.new, "its metaclass or type parameters changed, which a living class cannot take", cls=cls)
    elif owner is not None and (item.differs(1) or item.differs(3)):
        plan.refuse(item.new, f"it is {kind or 'a mapped class'}, whose header cannot change while it lives")
    elif (reshape or (kind and item.differs(1))) and not can_follow(cls, is_own):
        plan.refuse(item.new, f"it is {kind}, whose fields and header cannot change while it lives", cls=cls)
    elif reshape and (heir := next((sub for sub in subclasses_of(cls, plan.scope) if owner_of(sub)), None)):
        plan.refuse(item.new, f"{heir.__qualname__} is built on it, whose fields cannot change while it lives", cls=cls)
    elif item.differs(1):
        _plan_bases(plan, item, kind)
    scope = item.around.inside(cls)
    if owner is not None:
        _ask(plan, owner, scope, item.members)
    elif not reshape:
        _refuse_marked(plan, item)
    body = Body.of(scope, item.old.members, item.members)
    if not reshape:
        plan_fills(plan, body)
    kept = []
    for match in item.members:
        kept.append(_plan_member(plan, body, match, reshape=reshape))
        plan.fill_after(match.new)
    if not reshape:
        plan.finish(body)
    plan_heirs(plan, scope, [*item.members])
    if reshape or (kind and item.differs(1)):
        instances: Callable[[], Iterable[object]] = tuple
        gains = any(m.old is None and _unit(m).key.endswith(": ") for m in item.members)
        if (keeps_no_defaults(cls) and gains) or (is_named_tuple(cls) and fields):
            plan.migration.filled.append(cls)
            instances = partial(plan.migration.instances_of, cls)
        plan.steps.append(again := Reshape(item.around, item.new, cls, item.members, instances, item.again))
        if not item.differs(1):
            preview_class(plan, again)
    _follow_members(plan, body, kept, derives=reshape)
    derives_from = any(not match.same and not DERIVED.isdisjoint(_unit(match).names) for match in item.members)
    if derives_from and not kind and not item.differs(2):
        plan.steps.append(DeriveAgain(item.around, item.new, cls))
    if item.differs(2):
        marks = marks_of(item.old, item.around, plan.old.units if item.around.owner is None else ())
        plan.steps.append(Decorate(item.around, item.new, item.old, cls, reshape, marks))
        if item.around.owner is None:  # they may make another class of it
            plan.changing.update(item.new.names)
            plan.late.update(item.new.names)
    return [unit for unit in kept if unit is not None]


def _refuse_marked(plan: ModulePlan, item: _Class) -> None:
    for match in item.members:
        if package := marked(plan, item.cls, item.old, match):
            reason = f"{package} marks it and made the class, and would not see the change: it reads a body only once"
            plan.refuse(_unit(match), reason, cls=item.cls)


def _follow_members(plan: ModulePlan, body: Body, kept: list[Unit | None], *, derives: bool) -> None:
    cls = body.scope.owner
    if cls is None or is_a(cls, enum.EnumType) or is_named_tuple(cls):
        return  # their members are made from the values, and were made again
    old = [match.old for match in body.matches if match.old is not None and not match.same]
    live = vars(cls)
    before = {name: live[name] for unit in old if unit.kind == "assign" for name in unit.names if name in live}
    inner = (m for m in body.matches if m.old is not None and m.new is not None and m.new.kind == "class")
    moved = {*before, *(_unit(m).names[0] for m in inner)}
    settled = plan.settled
    members = tuple(u for u in kept if u is not None and not (moved - settled.get(id(u), set())).isdisjoint(u.reads))
    if members:
        plan.steps.append(FollowMembers(body.scope, members, before, told=not derives))


def _ask(plan: ModulePlan, owner: Adapter, scope: Scope, members: Iterable[Match]) -> None:
    """Lets the library that read the class's body object to what changed of it."""
    for match in members:
        unit = _unit(match)
        same = match.same and (unit.kind != "class" or _same_body(match))
        if same and not (unit.kind == "function" and match.old is None):
            continue
        evaluate = partial(_evaluate, plan, scope, match.new)
        change = MemberChange(
            cls=scope.owner or object, name=next(iter(unit.names), ""), kind=unit.kind, added=match.old is None,
            removed=match.new is None, evaluate=evaluate,
        )  # fmt: skip
        objection = owner.judge(change)
        if objection is not None:
            plan.refuse(unit, objection.reason, objection.help)


def _same_body(match: Match) -> bool:
    assert match.old is not None  # it is the same
    assert match.new is not None
    return all(inner.same for inner in match_units(match.old.members, match.new.members))


def _evaluate(plan: ModulePlan, scope: Scope, unit: Unit | None) -> object:
    """What a new member binds, or its annotation; LookupError if running it could be seen."""
    if unit is None:
        return None
    if not runs_unseen(scope, unit) and unit.kind != "function":
        raise LookupError(unit.key)
    names = {**scope.namespace(), **plan.early}
    annotations = names["__annotations__"] = {}
    name = unit.names[0] if unit.names else ""
    names.pop(name, None)
    scope.run(unit.code, names)
    return names.get(name, annotations.get(name))


def _plan_bases(plan: ModulePlan, item: _Class, kind: str) -> None:
    if item.cls.__bases__ == (object,):
        plan.refuse(item.new, "it had no bases: Python cannot give a living class of its layout new ones", cls=item.cls)
    elif is_a(item.cls, enum.EnumType) or (kind and issubclass(item.cls, tuple)):
        plan.refuse(item.new, f"the bases of {kind} changed, which a living one cannot take", cls=item.cls)
    else:
        plan.steps.append(Rebase(item.around, item.new, item.cls))


def _plan_member(plan: ModulePlan, body: Body, match: Match, *, reshape: bool) -> Unit | None:
    """Plans what happens to one member; returns what of it is kept."""
    old, new = match.old, match.new
    scope, cls = body.scope, body.scope.owner
    assert cls is not None  # members are planned with their class
    if old is not None and new is not None and new.kind == "class":
        return plan_class(plan, old, new, vars(cls).get(new.names[0]), scope)
    plan.migration.note(match, cls)
    if match.same and new is not None and not plan.must_run(body, new):
        plan.keep(body, new)
        return new
    unit = _unit(match)
    fields = _has_slots(cls) and unit.key.endswith(": ") and None in (old, new)
    if fields or ("__slots__" in unit.names and not _same_slots(plan, scope, match)):
        verb = "lose" if new is None else "gain" if old is None else "change"
        plan.refuse(
            unit, f"class {cls.__qualname__} cannot change its slots while it lives: it would {verb} "
            f"{', '.join(unit.names)}", cls=cls,
        )  # fmt: skip
    elif new is None:
        bound = body.named_by_new()
        names = tuple(n for n in unit.names if n not in bound and (cls.__qualname__, n) not in plan.overruling)
        if unit.kind == "function" or not reshape:
            plan.steps.append(Remove(scope, unit, names, plan.owners(unit)))
        plan.report.removed.append(f"{cls.__qualname__}.{unit.label}")
    elif by := [u for n in new.names if (u := plan.overruling.get((cls.__qualname__, n)))]:
        made = [u for u in by if not u.deletes]  # it may be made from the member
        plan.report.stale.extend(u.label for u in made)
    else:
        plan.report.run.append(f"{cls.__qualname__}.{new.label}")
        plan.rebound.update((id(cls), name) for name in new.names)
        if id(new) not in plan.filled and (new.kind in ("function", "class") or not reshape):
            plan.run_late(body, old, new, None if special_kind(cls) else bind_ahead(plan, body, old, new))
    return None


def _bound(members: Iterable[Unit]) -> frozenset[str]:
    return frozenset(name for unit in members for name in unit.names)


def _unit(match: Match) -> Unit:
    unit = match.new or match.old
    assert unit is not None  # a match has one of the two
    return unit


def _same_slots(plan: ModulePlan, scope: Scope, match: Match) -> bool:
    """Whether ``__slots__`` name what they did: in another order, or as a list or mapping."""
    if match.old is None or match.new is None or scope.owner is None:
        return False
    try:
        made = _evaluate(plan, scope, match.new)
        names = [{value} if type(value) is str else {*value} for value in (vars(scope.owner)["__slots__"], made)]  # type: ignore[misc]  # what cannot be iterated over raises
    except (LookupError, TypeError):
        return False
    return names[0] == names[1]


def _has_slots(cls: type) -> bool:
    """Whether the fields of the class are slots."""
    return "__slots__" in vars(cls) and bool(special_kind(cls)) and not is_named_tuple(cls)

"""Plans the swap of one module by comparing its units, old and new.

Planning changes nothing that is live. What can be run without anyone noticing (imports of libraries, constants, plain
functions) is run here, in a namespace of its own; what could touch live objects becomes a step of the commit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import CellType, FunctionType
from typing import Any

from .adapters import is_tracked
from .building.units import CALLS, PURE, Unit
from .classes.planning import plan_class
from .classes.preview import preview_call
from .containers.arranging import plan_arranging
from .containers.claims import claimants
from .containers.fills import plan_fills
from .containers.withdrawing import plan_withdrawal
from .diff import Match, match_units, pair_code, unpaired
from .functions.moves import is_plain
from .plan import ModulePlan, Patch
from .showing.raised import note
from .statements.attributes import force_readers, plan_attributes, written
from .statements.body import Body
from .statements.heirs import plan_heirs
from .statements.scope import UNKNOWN
from .statements.steps import Remove, Unregister


def plan_module(plan: ModulePlan) -> None:
    """Fills in the plan of one module."""
    matches = match_units(plan.old.units, plan.new.units)
    plan.matches = matches
    plan.claimants = claimants(plan.old.units, plan.owners)
    body = Body.of(plan.scope, plan.old.units, matches)
    plan.overruling.update(written(body, kept=True))
    plan_fills(plan, body)
    force_readers(plan, body)
    for match in matches:
        try:
            _plan_unit(plan, body, match)
            plan.fill_after(match.new)
        except Exception as error:  # the user's code, run while planning, may raise anything
            note([plan], (plan, match.new), error)
            break  # what follows may read what this would have bound: its errors would say nothing
    plan_attributes(plan, body)
    plan.changing.update(body.leftovers())
    plan_withdrawal(plan)
    plan_arranging(plan, matches)
    plan.finish(body)
    plan_heirs(plan, plan.scope, matches)
    if plan.old.doc != plan.new.doc:
        plan.assignments.append((plan.module, "__doc__", plan.new.doc))


def plan_leaving(plan: ModulePlan) -> None:
    """Fills in the plan of a module that goes: what it registered elsewhere goes with it.

    Its names stay bound: whoever holds a function of it goes on with what that reads.
    """
    plan.matches = match_units(plan.old.units, ())
    plan.claimants = claimants(plan.old.units, plan.owners)
    for unit in reversed(plan.old.units):
        if unit.decorate is not None or unit.kind == "class":
            plan.steps.append(Unregister(plan.scope, unit, unit.names, plan.owners(unit)))
    plan_withdrawal(plan)


def _plan_unit(plan: ModulePlan, body: Body, match: Match) -> None:
    old, new = match.old, match.new
    plan.migration.note(match, None)
    if new is None:
        assert old is not None  # a match has one of the two
        _plan_removal(plan, body, old)
        return
    if old is not None and (match.same or new.kind in ("class", "function")):
        plan.assignments.extend(plan.classes.assignments(old.code, new.code))
    if old is not None and new.kind == "class":
        kept = plan_class(plan, old, new, plan.scope.globals.get(new.names[0]), plan.scope)
        if kept is not None:
            plan.kept.append(kept)
        return
    if old is not None:
        plan_code(plan, match, {})
    if match.same and not plan.must_run(body, new):
        plan.keep(body, new)
        plan.kept.append(new)
        plan.report.kept += 1
        if _may_follow(plan, new):
            plan.late.update(new.names)
            plan.follows.update(new.names)
    else:
        is_call = new.kind == "other" and id(new) in plan.again
        _plan_run(plan, body, None if is_call else old, new)


def plan_code(plan: ModulePlan, match: Match, cells: Mapping[str, CellType]) -> None:
    """Plans what becomes of the functions inside a matched unit."""
    if match.old is not None and match.new is not None:
        plan.patches.extend(patches(match, cells))
        plan.unmade.extend(unpaired(match.old.code, match.new.code))


def patches(match: Match, cells: Mapping[str, CellType]) -> Iterator[Patch]:
    """The functions inside a matched unit, old and new; a changed ``def`` itself is left to the step that runs it."""
    if match.old is None or match.new is None:
        return
    for pair in pair_code(match.old.code, match.new.code):
        own = match.new.kind == "function" and not pair.nested and pair.new.co_name == match.new.spelled
        if (pair.changed or pair.remade) and (match.same or not own):
            yield Patch(pair, match.new, match.same, cells)


def _plan_removal(plan: ModulePlan, body: Body, unit: Unit) -> None:
    bound = body.named_by_new()
    names = tuple(name for name in unit.names if name not in bound)
    if names or unit.decorate is not None:
        plan.steps.append(Remove(plan.scope, unit, names, plan.owners(unit), body.bound, body.stars()))
        plan.changing.update(names)
    plan.report.removed.append(unit.label)


def _plan_run(plan: ModulePlan, body: Body, old: Unit | None, new: Unit) -> None:
    plan.report.run.append(new.label)
    plan.changing.update(new.names)
    plan.rebound.update((id(plan.scope.owner), name) for name in new.names)
    if id(new) in plan.filled:
        plan.late.update(new.names)
    elif not _waits(plan, body, new) and _runs_unseen(plan, body, old, new):
        names = _Names(plan.early)
        plan.scope.run(new.code, names)
        plan.early.update(names.bound)
    else:
        if old is not None:
            preview_call(plan, new)
        plan.late.update(new.names)
        plan.run_late(body, old, new)


def _waits(plan: ModulePlan, body: Body, new: Unit) -> bool:
    """Whether a unit meets what lives: it binds in passing, or a function that was a lambda, or will be, becomes it."""
    return id(new) in body.binders.overruled or plan.function_of(body, body.former(new)) is not list


def _may_follow(plan: ModulePlan, unit: Unit) -> bool:
    """Whether what a kept unit binds may change by what it is computed or imported from."""
    if unit.kind == "assign" or (unit.kind == "other" and unit.closed):
        return not (plan.changing | plan.late).isdisjoint(unit.reads)
    return not plan.alone and any(plan.scope.is_own(item.module) for item in unit.imports)


class _Names(dict[str, Any]):
    """The local names of a unit that is run while planning: what was bound so far, and what it binds itself."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        super().__init__(known)
        self.bound: dict[str, Any] = {}

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self.bound[name] = value


def _runs_unseen(plan: ModulePlan, body: Body, old: Unit | None, unit: Unit) -> bool:
    """Whether running the unit now, out of the live module's sight, gives what running it in the commit would."""
    if unit.kind == "import":
        return not any(plan.scope.is_own(i.module) or i.name == "*" for i in unit.imports)
    if unit.kind not in ("function", "assign") or unit.effect > CALLS:
        return False
    if not plan.late.isdisjoint((*unit.reads, *unit.names)):
        return False
    living = any(map(_is_to_be_kept, (plan.scope.globals.get(name) for name in unit.names)))
    if old is not None and (unit.kind == "function" or living):
        return False  # living functions and classes take the new ones over, inside the commit
    hidden = body.hidden_from(unit)
    values = {name: UNKNOWN if name in hidden else _lookup(plan, name) for name in unit.reads}
    settled = all(is_plain(value) or plan.scope.is_outside(value) for value in values.values())
    return settled and (unit.effect == PURE or all(plan.scope.is_outside(values.get(root)) for root in unit.call_roots))


def _is_to_be_kept(value: Any) -> bool:
    """Whether what a statement makes anew is to be taken over by the living one, which others may hold."""
    return issubclass(type(value), (type, FunctionType)) or is_tracked(value)


def _lookup(plan: ModulePlan, name: str) -> Any:
    return plan.early[name] if name in plan.early else plan.scope.lookup(name)

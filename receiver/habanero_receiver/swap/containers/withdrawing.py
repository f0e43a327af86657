"""Takes back what calls registered that are gone from a module, or are others now: ``app.include_router(router)``.

The rule that it upholds: an entry is taken out only if it can be told to be that call's. Where it could be another's,
it stays; of a call that is gone the report then says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.finding.reach import roots_of
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.statements.scope import Scope
from habanero_receiver.swap.transaction import Transaction
from habanero_receiver.swap.undo import fill, reorder

from .claims import Claimant, Claims, calls_out, claimed_elsewhere, given, made_by, only_makes, registries, whole
from .emptied import drop_emptied

if TYPE_CHECKING:
    from habanero_receiver.swap.plan import ModulePlan


@dataclass(slots=True)
class Withdrawn:
    """What was taken out of containers: of each the content before, and where the entries stood."""

    places: list[tuple[Any, list[Any], list[int]]] = field(default_factory=list)
    """Of a mapping the content is its keys."""
    forgotten: bool = False
    """Whether adapters were asked to drop all that it was given."""
    maybe: dict[int, Unit] = field(default_factory=dict)
    """Statements that may have registered something that could not be told."""

    def containers(self) -> set[int]:
        """The identities of those that anything was taken out of."""
        return {id(held) for held, _, _ in self.places}

    def has(self, container: object) -> bool:
        """Whether anything was taken out of it."""
        return self.forgotten or any(held is container for held, _, _ in self.places)

    def put_in_place(self, work: Transaction) -> None:
        """Puts what has come since, if it is as much as was taken out, where that stood."""
        for container, before, indexes in self.places:
            left = [entry for index, entry in enumerate(before) if index not in indexes]
            now, count = list(container), len(indexes)
            if is_a(container, set) or len(now) != len(left) + count:
                continue
            if _same(left, now[: len(left)]):
                came = now[len(left) :]
            elif _same(left, now[count:]):
                came = now[:count]
            else:
                continue
            for index, entry in zip(indexes, came, strict=True):
                left.insert(index, entry)
            if not _same(left, now):
                put = reorder if is_a(container, dict) else fill
                work.log.do((put, container, left), (put, container, now))


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Takes out of lists, sets and mappings what statements put there that are gone."""

    scope: Scope
    gone: tuple[Unit, ...]
    former: tuple[Claimant, ...]
    """All old statements that may have registered something."""

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        withdrawn = withdraw(work, self.scope, self.gone, self.former)
        for unit in withdrawn.maybe.values():
            why = "it is gone, but what it registered cannot be told from what others did"
            work.report.of(self.scope.globals["__name__"]).note_stale(unit.label, why)


def withdraw(work: Transaction, scope: Scope, units: Sequence[Unit], former: Sequence[Claimant]) -> Withdrawn:
    """Takes out what these old statements registered, as far as it can be told, and has adapters forget it."""
    then = scope.as_it_was(work.former)
    claims, withdrawn = Claims(former, then), Withdrawn()
    units = [unit for unit in units if not only_makes(unit, then)]
    targets = {id(item): item for unit in units for item in given(unit, then)}
    elsewhere = {k for k, t in targets.items() if claimed_elsewhere(t, scope, work.modules, work.units_of)}
    sure = [unit for unit in units if elsewhere.isdisjoint(map(id, given(unit, then)))]
    for unit in sure:
        withdrawn.forgotten |= _forget(work, claims, unit, then)
    found = [(unit, root) for unit in units for root in roots_of(unit.code, then.globals, scope.is_own)]
    roots = [root for unit, root in found if id(root) not in made_by(unit, then)]
    for container, leading in registries(work.graph, roots, targets.values(), scope):
        entries = whole(container) if is_a(container, dict) else list(container)
        mine, maybe = claims.held_by(units, sure, entries, leading)
        withdrawn.maybe |= {id(unit): unit for unit in maybe}
        if mine:
            withdrawn.places.append((container, list(container), mine))
            _take_out(work, container, mine)
    return withdrawn


def _same(entries: Sequence[Any], others: Sequence[Any]) -> bool:
    return all(a is b for a, b in zip(entries, others, strict=True))


def _take_out(work: Transaction, container: Any, mine: Sequence[int]) -> None:
    entries = list(container)
    if is_a(container, dict):
        work.log.note((reorder, container, entries))
        for index in mine:
            work.log.delete_item(container, entries[index])
    elif is_a(container, set):
        for index in mine:
            work.log.do((container.discard, entries[index]), (container.add, entries[index]))
    else:
        left = [entry for index, entry in enumerate(entries) if index not in mine]
        work.log.do((fill, container, left), (fill, container, entries))
    drop_emptied(work.log, work.graph, container)


def _forget(work: Transaction, claims: Claims, unit: Unit, scope: Scope) -> bool:
    """Has adapters drop what their libraries hold for what this statement alone gave to one of them."""
    if not any(work.is_adapted(scope.lookup(root)) for root in unit.call_roots):
        return False
    targets = [item for item in given(unit, scope) if [claimant.unit for claimant in claims.of(item)] == [unit]]
    for target in targets:
        work.forget(target)
    return bool(targets)


def plan_withdrawal(plan: ModulePlan) -> None:
    """Plans the step, before any other, if statements are gone that may have registered something."""
    gone = [match.old for match in plan.matches if match.new is None and match.old is not None]
    left = (unit for unit in gone if id(unit) not in plan.refilled)
    calls = (unit for unit in left if unit.kind in ("assign", "other") and calls_out(unit))
    if units := tuple(unit for unit in calls if given(unit, plan.scope)):
        plan.steps.insert(0, Withdraw(plan.scope, units, plan.claimants))

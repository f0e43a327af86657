"""Puts what the statements of a module registered into the order of the statements, as in a fresh process.

A statement that is new, or stands elsewhere now, registers behind all others, or not again. Where the order of a
registry is that of the statements (of overlapping routes the first one answers), what such a statement registered moves
to the place that a fresh process gives it.

The rule that it upholds: only lists and mappings are touched that are in the order of the statements, forwards or
backwards, as far as these are old; one that orders itself, or was ordered by the process, stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.diff import Match
from habanero_receiver.swap.finding.reach import roots_of
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.plan import ModulePlan
from habanero_receiver.swap.statements.scope import Scope
from habanero_receiver.swap.transaction import Transaction
from habanero_receiver.swap.undo import fill, reorder

from .claims import Claimant, Claims, calls_out, given, made_by, registers, registries
from .handed import carriers, handed_on


@dataclass(frozen=True, slots=True)
class Arrange:
    """Moves what statements registered to where they stand."""

    scope: Scope
    claimants: tuple[Claimant, ...]
    moved: tuple[Unit, ...]
    """The statements that are new, changed, or stand elsewhere."""

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        scope = self.scope
        codes = [(unit, code) for unit in self.moved for code in (unit.decorate, unit.code) if code is not None]
        found = [(unit, root) for unit, code in codes for root in roots_of(code, scope.globals, scope.is_own)]
        roots = [root for unit, root in found if id(root) not in made_by(unit, scope)]
        claims = Claims(self.claimants, scope, handed_on(self.claimants, scope, work.handed_on))
        roots += carriers(self.claimants, scope, work.handed_on)
        moved = set(map(id, self.moved))
        targets = [target for c in self.claimants if id(c.unit) in moved for target in c.targets(scope)]
        targets += [part for target in targets for part in work.handed_on(target)]
        for container, leading in registries(work.graph, roots, targets, scope):
            if len(container) < 2 or is_a(container, set):
                continue  # it has no order
            entries, before = list(container), work.before(container)
            wanted = arranged(claims.owners_in(container, leading), entries, claims.owners_in(before, leading))
            if wanted is not None:
                put = reorder if is_a(container, dict) else fill
                work.log.do((put, container, wanted), (put, container, entries))


def plan_arranging(plan: ModulePlan, matches: Sequence[Match]) -> None:
    """Plans the step, if statements that register are new, changed or moved."""
    was = {id(unit): index for index, unit in enumerate(plan.old.units)}
    runs = {id(unit) for step in plan.steps if (unit := getattr(step, "unit", None)) is not None}
    claimants, moved, latest = [], [], -1
    for place, match in enumerate(matches):
        if match.new is None or not registers(match.new):
            continue
        old = None if match.old is None else was[id(match.old)]
        again = id(match.new) in runs
        claimants.append(Claimant(match.new, place, old, again, plan.owners(match.old)))
        if (again or (old is not None and old < latest)) and _may_register(plan, match.new, again=again):
            moved.append(match.new)
        latest = max(latest, -1 if old is None else old)
    if moved and len(claimants) > 1:
        plan.steps.append(Arrange(plan.scope, tuple(claimants), tuple(moved)))


def _may_register(plan: ModulePlan, unit: Unit, *, again: bool) -> bool:
    if unit.kind == "class" and unit.bases is not None and again:
        return True  # a hook of its bases may
    return unit.decorate is not None or (calls_out(unit) and (again or bool(given(unit, plan.scope))))


def arranged(
    owners: Sequence[Claimant | None], entries: Sequence[Any], before: Sequence[Claimant | None] = ()
) -> list[Any] | None:
    """The entries in the order of the statements that own them, or None if they are to stay as they are.

    ``before`` are the owners of what the container held before the swap.
    """
    backwards = _direction(owners, before)
    places = [owner.place for owner in owners if owner is not None]
    if backwards is None or places == sorted(places, reverse=backwards):
        return None  # nothing tells where the entries of others stand among these
    pairs = list(zip(owners, entries, strict=True))
    result = _placed(pairs[::-1] if backwards else pairs)
    wanted = [entry for _, entry in (result[::-1] if backwards else result)]
    return None if all(a is b for a, b in zip(wanted, entries, strict=True)) else wanted


def _direction(owners: Sequence[Claimant | None], before: Sequence[Claimant | None]) -> bool | None:
    """Whether a container has its entries in the opposite order of the statements; None if in neither."""
    stay = [owner.was for owner in owners if owner is not None and owner.was is not None and not owner.runs]
    first = [owner.was for owner in before if owner is not None and owner.was is not None]
    known = first if len({*first}) > 1 else [o.was for o in owners if o is not None and o.was is not None]
    came = [owner is not None and (owner.runs or owner.was is None) for owner in owners]
    new = [index for index, owner in enumerate(owners) if owner is not None and owner.was is None]
    behind = all(all(came[index:]) for index in new)
    ahead = all(all(came[: index + 1]) for index in new)
    for places in (stay, known):
        if len({*places}) > 1:
            if places == sorted(places):
                return False if behind else None
            if places == sorted(places, reverse=True):
                return True if ahead else None
            if places is stay:
                return None
    if behind == ahead:  # there is nothing to tell it by
        return None
    return ahead


def _placed(pairs: list[tuple[Claimant | None, Any]]) -> list[tuple[Claimant | None, Any]]:
    """Entries of statements that did not run among themselves, then each of the others behind what stands before it.

    Where all of them ran, those of changed statements hold the places: they took those of what they replaced.
    """
    stays = [owner is not None and not (owner.runs or owner.was is None) for owner, _ in pairs]
    if not any(stays):
        stays = [owner is not None and owner.was is not None for owner, _ in pairs]
    kept = iter(sorted((pair for pair, stay in zip(pairs, stays, strict=True) if stay), key=_place))
    result = [next(kept) if stay else pair for pair, stay in zip(pairs, stays, strict=True) if stay or pair[0] is None]
    for pair in sorted((p for p, stay in zip(pairs, stays, strict=True) if not stay and p[0] is not None), key=_place):
        result.insert(_position(result, _place(pair)), pair)
    return result


def _position(pairs: Sequence[tuple[Claimant | None, Any]], place: int) -> int:
    """Behind the last entry of a statement that stands before, or else before the first of one that stands behind."""
    before = [index for index, pair in enumerate(pairs) if pair[0] is not None and _place(pair) <= place]
    if before:
        return before[-1] + 1
    behind: Iterable[int] = (index for index, pair in enumerate(pairs) if pair[0] is not None)
    return next(iter(behind), len(pairs))


def _place(pair: tuple[Claimant | None, Any]) -> int:
    return -1 if pair[0] is None else pair[0].place

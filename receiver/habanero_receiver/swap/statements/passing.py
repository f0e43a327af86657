"""Names that a body binds and deletes again: ``tmp = 2``, ``x = tmp + 1``, ``del tmp``.

What reads such a name cannot be run alone later: the name is nowhere to be read. Where the statements that bind, read
and delete it can be run in isolation, `fills` takes them together; otherwise those that bind it run again before one
that changed and reads it. So it is with names that are bound on what they were: ``app = wrap(app)``. This file finds
such names and plans; it runs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from habanero_receiver.swap.building.units import CALLS, PURE, Unit
from habanero_receiver.swap.following.constants import is_constant
from habanero_receiver.swap.plan import ModulePlan

from .body import Body

_DESCRIPTORS = frozenset({"property", "staticmethod", "classmethod"})


def passing(body: Body, units: Sequence[Unit]) -> set[str]:
    """The names that a statement deletes: what reads them reads what is nowhere to be read afterwards."""
    made = {name for unit in units if unit.kind in ("function", "class", "import") for name in unit.names}
    return {name for name in deleted(body) - made if not body.scope.binds(name)}


def deleted(body: Body) -> set[str]:
    """The names that ``del`` statements of the body are for, old or new."""
    units = [*body.old, *(match.new for match in body.matches if match.new is not None)]
    return {name for unit in units if unit.deletes for name in unit.names}


def force_makers(plan: ModulePlan, body: Body) -> None:
    """Has statements run again that bind what a statement that runs reads, and what is not to be read there any more.

    That is what is deleted further down, or bound to something else. Statements run again that import, define, or build
    plain values: nothing that could be noticed.
    """
    units = [match.new for match in body.matches if match.new is not None and id(match.new) not in plan.filled]
    places = {id(unit): index for index, unit in enumerate(units)}
    gone = {name for unit in units if unit.deletes for name in unit.names if not body.scope.binds(name)}
    runs = {id(match.new) for match in body.matches if not match.same}
    waiting = [unit for unit in units if id(unit) in runs and not unit.deletes]
    while waiting:
        reader = waiting.pop()
        read = gone.intersection(reader.reads)
        makers = [unit for unit in units if read.intersection(unit.names)]
        makers += _bound_otherwise(units, places[id(reader)])
        makers = [unit for unit in makers if id(unit) not in runs]
        forced = [unit for unit in makers if unit.deletes or _is_harmless(unit)]
        runs.update(map(id, forced))
        plan.forced.update(map(id, forced))
        waiting += forced


def _bound_otherwise(units: Sequence[Unit], place: int) -> list[Unit]:
    """Those that bind what the one at ``place`` reads, where others bind the same names again below it."""
    found: dict[int, Unit] = {}
    for name in {*units[place].reads}.difference(units[place].names):
        makers = [unit for unit in units[:place] if name in unit.names]
        below = any(name in unit.names and not unit.deletes for unit in units[place + 1 :])
        if makers and makers[-1].kind in ("assign", "import") and below:
            found[id(makers[-1])] = makers[-1]
    return list(found.values())


def force_bases(plan: ModulePlan, body: Body) -> None:
    """Has statements run again that a changed one builds on, where it binds what it reads: ``app = wrap(app)``.

    What lives by that name was built on once already. Where what it was built on cannot be had again without anyone
    noticing, the change is refused.
    """
    units = [match.new for match in body.matches if match.new is not None]
    runs = {id(match.new) for match in body.matches if not match.same} | plan.forced
    fresh = {id(match.new) for match in body.matches if match.old is None}
    left = {name: match.old for match in body.matches if match.same and match.old for name in match.old.names}
    last = {name: unit for unit in body.old for name in unit.names}
    for index, unit in enumerate(units):
        if id(unit) not in runs or id(unit) in plan.filled or unit.kind != "assign":
            continue
        for name in set(unit.names).intersection(unit.reads):
            if id(unit) in fresh and last.get(name) is left.get(name):
                continue  # what lives is what it is to build on, for the first time
            chain = _chain(units[:index], name)
            if not chain or not runs.isdisjoint(map(id, chain)) or chain[0].kind == "class":
                continue
            plain = is_constant(body.scope.get(name))
            if all(_is_harmless(maker) or (plain and maker.effect <= CALLS) for maker in chain):
                plan.forced.update(map(id, chain))
            else:
                plan.refuse(unit, f"it builds on {name}, which it binds itself: what that was before is not to be had")


def _chain(above: Sequence[Unit], name: str) -> list[Unit]:
    """The statements that made what a name is bound to, each but the first on what it was before."""
    chain: list[Unit] = []
    for unit in reversed(above):
        if name in unit.names:
            chain.insert(0, unit)
            if name not in unit.reads:
                return chain
    return []


def _is_harmless(unit: Unit) -> bool:
    if unit.kind == "function":
        return unit.decorate is None or _DESCRIPTORS.issuperset(unit.reads)
    return unit.kind == "import" or unit.effect == PURE


def note_readers(plan: ModulePlan, body: Body, gone: set[str], taken: frozenset[int]) -> None:
    """Names in the report what kept statements computed from names that are ``gone``, and that does not follow.

    ``taken`` are the matches that do, by identity.
    """
    for match in body.matches if gone else ():
        if match.new is not None and match.same and id(match) not in taken and not gone.isdisjoint(match.new.reads):
            plan.report.note_stale(body.scope.path(match.new.label), "what it read is deleted further down")

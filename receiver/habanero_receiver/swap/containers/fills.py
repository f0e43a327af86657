"""Plans what becomes of containers that statements fill: ``X = []``, then ``X.append(...)``, ``X[k] = 1``, ``X += Y``.

To run a changed filler on the living container would add to what its old form added. So the statements that make and
fill a container, and plain constants computed from it, are taken together, as a *fill*: if they can be run in isolation
(`isolated`), the old ones are run there while planning and the new ones inside the commit, and the living container
goes from the one result to the other (`merge`). Where the container is made elsewhere, or by a statement that cannot be
isolated, its fillers alone are compared, beginning with an empty one.

Otherwise a filler is run as it stands only where it can double nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.classes.adopt import remake
from habanero_receiver.swap.diff import Match, pair_code
from habanero_receiver.swap.finding.live import reachable
from habanero_receiver.swap.functions.moves import is_plain
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.plan import ModulePlan
from habanero_receiver.swap.statements.annotations import annotate
from habanero_receiver.swap.statements.body import Body
from habanero_receiver.swap.statements.isolated import UnseenError, filled_by, run_isolated
from habanero_receiver.swap.statements.passing import deleted, force_bases, force_makers, note_readers, passing
from habanero_receiver.swap.transaction import Transaction
from habanero_receiver.swap.undo import UndoLog

from .entries import shown
from .merge import CONTAINERS, MAPPINGS, merge, token
from .registry import Double
from .tables import exchange

_MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class _Group:
    """Statements that make and fill the same objects, and that compute constants from them; as in the source."""

    names: frozenset[str]
    """What is filled."""
    following: frozenset[str]
    """The constants."""
    old: tuple[Unit, ...]
    new: tuple[Unit, ...]
    matches: tuple[Match, ...]

    @property
    def changed(self) -> tuple[Unit, ...]:
        """The new statements that differ from what they replace, or replace nothing."""
        return tuple(match.new for match in self.matches if match.new is not None and not match.same)

    @property
    def gone(self) -> tuple[Unit, ...]:
        """The old statements that are replaced, or not at all."""
        return tuple(match.old for match in self.matches if match.old is not None and not match.same)

    @property
    def renewed(self) -> frozenset[str]:
        """The names that are bound to another object now, whatever filled it."""
        return frozenset(name for unit in self.changed if not filled_by(unit) for name in unit.names)

    @property
    def gone_again(self) -> set[str]:
        """The names that the new statements delete."""
        return {name for unit in self.new if unit.deletes for name in unit.names}

    def differs(self) -> bool:
        """Whether anything is to be done."""
        old = [id(match.old) for match in sorted(self.matches, key=_new_line) if match.same]
        return bool(self.changed or self.gone) or old != [id(unit) for unit in self.old]


def _new_line(match: Match) -> int:
    return match.new.line if match.new is not None else 0


@dataclass(frozen=True, slots=True)
class Fill:
    """Brings filled objects from what the old statements made of them to what the new ones do."""

    body: Body
    group: _Group
    was: dict[str, Any]
    """What the old statements make."""
    start: frozenset[str]
    """Names of containers that are made elsewhere, or cannot be made again."""

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        made = _run(self.body, self.group, self.group.new, self.start)
        self._take_over(work, made)
        for name in self.group.names | self.group.following:
            self._settle(work, name, made.get(name, _MISSING))
        scope, changed = self.body.scope, set(map(id, self.group.changed))
        for unit in self.group.new:
            for name in {*unit.names} & made.keys() - self.group.names - self.group.following:  # a loop's
                if id(unit) in changed or token(scope.get(name)) == token(self.was.get(name)):
                    scope.bind(work.log, name, made[name])
                    self.body.bound.add(name)
            for name in {*unit.names} - self.group.names if unit.deletes else ():  # what others made
                if id(unit) in changed and not scope.binds(name):
                    raise NameError(f"name {name!r} is not defined", name=name)
                scope.unbind(work.log, name)
        annotate(work.log, scope, made.get("__annotations__", {}))
        self.body.annotated.update(made.get("__annotations__", ()))

    def _take_over(self, work: Transaction, made: dict[str, Any]) -> None:
        """Has living functions become those that the statements make now, and stand for them in what these filled."""
        standing: dict[int, FunctionType] = {}
        for name, now in made.items():
            live, was = self.body.scope.get(name), self.was.get(name)
            if is_a(now, FunctionType) and is_a(live, FunctionType) and remake(work, live, now):
                standing |= {id(now): live, id(was): live} if is_a(was, FunctionType) else {id(now): live}
        for names in (made, self.was) if standing else ():
            for name in self.group.names & names.keys():
                exchange(UndoLog(), names[name], standing)
            names.update({name: standing.get(id(value), value) for name, value in names.items()})

    def _settle(self, work: Transaction, name: str, now: Any) -> None:
        scope = self.body.scope
        live, was = scope.get(name), self.was.get(name, _MISSING)
        if now is _MISSING:
            if was is not _MISSING:
                scope.unbind(work.log, name)
            return
        self.body.bound.add(name)
        if name in self.group.renewed:
            scope.bind(work.log, name, now)
        elif type(now) in CONTAINERS and type(live) is type(was) is type(now):
            lost = merge(work.log, live, was, now)
            work.note_doubles(scope.globals["__name__"], [Double(live, shown(entry)) for entry in lost])
        elif token(was) != token(now) and (name in self.group.names or token(live) == token(was)):
            scope.bind(work.log, name, now)


def plan_fills(plan: ModulePlan, body: Body) -> None:
    """Plans the fills of a body, before its statements are planned; notes in the plan which are taken care of."""
    for group in _groups(body):
        if not group.new or not group.differs():
            continue
        try:
            fill = _isolate(body, group)
        except UnseenError as error:
            _plan_unisolated(plan, body, group, str(error))
            note_readers(plan, body, group.gone_again, frozenset())
            continue
        note_readers(plan, body, group.gone_again, frozenset(map(id, group.matches)))
        plan.filled.update(map(id, (*group.changed, *(unit for unit in group.new if unit.deletes))))
        plan.fills[id(group.new[-1])] = fill
        bound = group.names.union(*(unit.names for unit in group.new))
        plan.settled.update((id(unit), bound) for unit in group.new)
        plan.refilled.update(map(id, group.old))
        plan.late.update(group.names | group.following)
        plan.changing.update(group.names | group.following)
    force_makers(plan, body)
    force_bases(plan, body)


def _isolate(body: Body, group: _Group) -> Fill:
    """Raises UnseenError if the statements of the group cannot be run in isolation."""
    members, gone = {id(unit) for unit in group.new}, deleted(body) & group.names
    for match in body.matches if gone else ():
        unit = match.new
        if unit is not None and not match.same and id(unit) not in members and not gone.isdisjoint(unit.reads):
            raise UnseenError(f"{unit.label}: it reads what is deleted further down")
    elsewhere = _made_elsewhere(group.old)
    if elsewhere != _made_elsewhere(group.new) or elsewhere & group.renewed:
        raise UnseenError("it comes from elsewhere now")
    containers = {name for name in group.names - group.renewed if type(body.scope.get(name)) in CONTAINERS}
    failed: UnseenError | None = None
    for start in (elsewhere, elsewhere | containers):
        try:
            was = _run(body, group, group.old, start)
        except UnseenError as error:
            failed = failed or error
            continue
        except Exception as error:  # the process is not what it was when these ran
            failed = failed or UnseenError(f"{type(error).__name__}: {error}")
            continue
        try:
            _run(body, group, group.new, start)
        except UnseenError as error:
            failed = failed or error
            continue
        except Exception:  # noqa: S110  # it may need what the commit binds first: there it must run
            pass
        _patch_functions(group, was)
        return Fill(body, group, was, start)
    assert failed is not None  # what did not fail was returned
    raise failed


def _run(body: Body, group: _Group, units: Sequence[Unit], start: frozenset[str]) -> dict[str, Any]:
    """What the units make, those names being empty at first that are made elsewhere."""
    elsewhere = {name: body.scope.get(name) for name in start}
    if any(type(value) not in CONTAINERS for value in elsewhere.values()):
        raise UnseenError("what is filled is no container of Python's own")
    empty = {name: type(value)() for name, value in elsewhere.items()}
    filling = [unit for unit in units if filled_by(unit) or empty.keys().isdisjoint({*unit.names, *unit.reads})]
    hidden = set(group.names | group.following)
    if units is group.new:
        hidden |= body.hidden_from(units[-1]) - body.bound
    around = body.old if units is group.old else [match.new for match in body.matches if match.new is not None]
    return run_isolated(body.scope, filling, hidden, empty | _passing_imports(body, around), adding=empty)


def _passing_imports(body: Body, units: Sequence[Unit]) -> dict[str, Any]:
    """What the units import from libraries, as far as it is deleted further down."""
    found: dict[str, Any] = {}
    gone = {name for name in deleted(body) if not body.scope.binds(name)}
    for item in (item for unit in units if gone.intersection(unit.names) for item in unit.imports):
        top = item.module.partition(".")[0] == item.bound and not item.name
        module = sys.modules.get(item.bound if top else item.module)
        value = vars(module).get(item.name) if module is not None and item.name else module
        if item.bound in gone and value is not None and body.scope.is_outside(value):
            found[item.bound] = value
    return found


def _patch_functions(group: _Group, was: Mapping[str, Any]) -> None:
    """Gives functions that the old statements made the code that the living ones will have by then."""
    codes = {
        id(pair.old): pair.new
        for match in group.matches if match.old is not None and match.new is not None
        for pair in pair_code(match.old.code, match.new.code)
    }  # fmt: skip
    for item in reachable(was.values(), frozenset()) if codes else ():
        new = codes.get(id(item.__code__)) if is_a(item, FunctionType) else None
        if new is not None and is_a(item, FunctionType) and new.co_freevars == item.__code__.co_freevars:
            item.__code__ = new


def _made_elsewhere(units: Sequence[Unit]) -> frozenset[str]:
    """The names that units fill before one of them makes them: imported, or made by no statement."""
    bound: set[str] = set()
    found: set[str] = set()
    for unit in units:
        if unit.kind != "import":
            found |= filled_by(unit) - bound
            bound.update(unit.names)
    return frozenset(found)


def _plan_unisolated(plan: ModulePlan, body: Body, group: _Group, reason: str) -> None:
    """Lets the statements run as they stand where that can double nothing; refuses them where it could."""
    replacing = {id(match.new) for match in group.matches if match.old is not None}
    plan.forced.update(id(unit) for unit in group.new if filled_by(unit) & group.renewed)  # they fill a new object
    before = {name for unit in group.gone for name in filled_by(unit)} - group.renewed
    changed = {id(unit) for unit in group.changed}
    for unit in group.new:
        if id(unit) not in changed and not filled_by(unit) and before.intersection(unit.names):
            plan.report.note_stale(body.scope.path(unit.label), "statements that had filled it changed")
    for unit in group.changed:
        for name in sorted(filled_by(unit) & before):
            if id(unit) not in replacing and type(body.scope.get(name)) not in (*MAPPINGS, set):
                plan.refuse(unit, f"it adds to {name}, as its old form did, and that cannot be taken back: {reason}")


def _groups(body: Body) -> list[_Group]:
    """The fills of a body: names that share a statement belong together."""
    units = [*body.old, *(match.new for match in body.matches if match.new is not None)]
    known = {name for unit in body.old for name in unit.names}
    filled = {name for unit in units for name in filled_by(unit)} & known | passing(body, units)
    filled = {name for name in filled if is_plain(live := body.scope.get(name)) or type(live) in CONTAINERS}
    sets: list[set[str]] = []
    for unit in units:
        if (filled_by(unit) | ({*unit.names} if unit.deletes else set())) & filled:
            shared = (filled_by(unit) | {*unit.names, *unit.reads}) & filled
            joined = [names for names in sets if names & shared]
            sets = [names for names in sets if names not in joined] + [shared.union(*joined)]
    groups = [_group(body, frozenset(names)) for names in sets]
    return [group for group in groups if not any(u.kind in ("function", "class") for u in (*group.old, *group.new))]


def _group(body: Body, names: frozenset[str]) -> _Group:
    matches = []
    following: set[str] = set()
    gone = deleted(body) & names
    for match in body.matches:
        sides = [unit for unit in (match.old, match.new) if unit is not None]
        reads = not gone.isdisjoint(match.new.reads if match.new is not None else ())
        follows = (match.same or reads) and all(_follows(body, unit, names) for unit in sides)
        if follows:
            following.update(sides[0].names)
        if follows or any((filled_by(unit) | {*unit.names}) & names for unit in sides):
            matches.append(match)
    members = {id(unit) for match in matches for unit in (match.old, match.new)}
    old = tuple(unit for unit in body.old if id(unit) in members)
    new = tuple(match.new for match in matches if match.new is not None)
    return _Group(names, frozenset(following), old, new, tuple(matches))


def _follows(body: Body, unit: Unit, names: frozenset[str]) -> bool:
    """Whether a unit computes plain constants from what is filled."""
    if unit.kind != "assign" or not unit.closed or names.isdisjoint(unit.reads) or not names.isdisjoint(unit.names):
        return False
    return all(is_plain(body.scope.get(name)) for name in unit.names)

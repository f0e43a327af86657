"""Kept statements that were computed by code that changed: their values follow where that is safe, or they are named.

A statement follows if it binds plain values, and neither its old nor its new form does anything but build them
(`purity`): it is evaluated while staging, and again in the commit, and only what it had made before gives way. All
others are not run again. What they made stays, and the report says which it is and why.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.building.units import ANY, Unit
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.report import SwapReport
from habanero_receiver.swap.statements.scope import Scope
from habanero_receiver.swap.transaction import Transaction
from habanero_receiver.swap.undo import UndoLog

from .caches import StaleCache, cache_of
from .causes import Trace
from .constants import is_constant, same_constant
from .influence import Influence
from .left import Left
from .makers import left_by, not_asked
from .purity import only_builds

if TYPE_CHECKING:
    from .follow import Kept


@dataclass(slots=True)
class Suspect:
    """One kept statement that would give something else if it ran."""

    module: str
    scope: Scope
    unit: Unit
    trace: Trace
    made: dict[str, Any] | None
    """What it makes, by name, as far as it is known; None where running it could be noticed."""
    settled: bool = False
    """Whether its names are what it would make now."""
    asked: bool = False
    """Whether it is being found out if it is stale."""

    def follow(self, work: Transaction) -> list[tuple[str, Any, Any]]:
        """Has its names follow; returns those that changed, with their old and new values."""
        self.settled, changed = False, []
        if self.made is None or (now := evaluated(self.unit, self.scope)) is None:
            return []
        for name, old in self.made.items():
            value = now[name]
            if same_constant(live := self.scope.get(name), old) and not same_constant(old, value):
                self.scope.bind(work.log, name, value)
                changed.append((name, live, value))
        self.made, self.settled = now, True
        return changed

    def is_stale(self) -> bool:
        """Whether it is, once the swap is carried out. What is asked about itself by what it reads adds nothing."""
        if self.asked:
            return False
        self.asked = True
        try:
            return not self.settled and any(cause.happened() for cause in self.trace.causes)
        finally:
            self.asked = False

    def name(self, report: SwapReport) -> None:
        """Says what of it is stale, if anything is, and why."""
        self.asked = True
        why = "" if self.settled else next((str(c) for c in self.trace.causes if c.happened()), "")
        self.asked = False
        if not why:
            return
        if self.unit.kind in ("assign", "function"):
            report.of(self.module).note_stale(self.scope.path(self.unit.label), why)
            for module, name in self.trace.written:
                report.of(module).note_stale(name, f"line {self.unit.line} of {self.module} made it: {why}")
            return
        renewed = {cause.home for cause in self.trace.causes if cause.happened()}
        filled = [*(home for home in self.trace.filled if home not in renewed),
                  *((self.module, name) for name in self.unit.names)]  # fmt: skip
        for module, name in dict.fromkeys(filled):
            report.of(module).note_stale(name, f"line {self.unit.line} of {self.module} made it: {why}")
        if not filled:
            report.of(self.module).note_stale(f"line {self.unit.line}", why)


@dataclass(slots=True)
class Suspects:
    """All of one swap."""

    found: list[Suspect] = field(default_factory=list)
    caches: dict[int, StaleCache] = field(default_factory=dict)
    """By identity."""
    left: dict[Left, None] = field(default_factory=dict)
    """What changed decorators and hooks left of kept definitions."""
    unreached: set[int] = field(default_factory=set)
    """Units of which nothing that they read changes, by identity, as far as they were looked at."""
    _units: set[int] = field(default_factory=set)
    _decorated: set[int] = field(default_factory=set)

    def look(self, influence: Influence, kept: Collection[Kept]) -> None:
        """Looks through the kept units of these modules. Runs what can be run unseen."""
        before = -1
        while before != (before := len(self.found) + len(influence.values)):  # what they bind changes others in turn
            for module in kept:
                influence.spread(module.name, module.units, module.scope.globals)
                self._find(influence, module.name, module.scope, module.units, module.again)

    def _find(
        self,
        influence: Influence,
        module: str,
        scope: Scope,
        units: tuple[Unit, ...],
        again: Mapping[str, frozenset[str]],
    ) -> None:
        for unit in units:
            if influence.altered.marks.versions and unit.kind in ("function", "class"):
                self.left.update(dict.fromkeys(left_by(unit, scope, influence.altered.marks)))
            if unit.kind == "function":
                self._look_at_cache(influence, scope.get(unit.names[0]))
                self._look_at_decorators(influence, module, scope, unit)
            elif unit.kind == "class":
                cls = scope.get(unit.names[0])
                self.left.update(dict.fromkeys(not_asked(unit, scope, influence.altered.members)))
                if is_a(cls, type):
                    self._find(influence, module, replace(scope, owner=cls), unit.members, {})
            elif unit.kind in ("assign", "other") and id(unit) not in self._units and not guards_main(unit):
                self._look_at(influence, module, scope, unit, again.get(unit.key, frozenset()))

    def _look_at(self, influence: Influence, module: str, scope: Scope, unit: Unit, again: frozenset[str]) -> None:
        inner = {} if scope.owner is None else _before(unit, scope)
        names = {**scope.globals, **inner} if inner else scope.globals
        if not influence.concerns(module, unit, names):
            return
        plain = unit.kind == "assign" and all(is_constant(scope.get(name)) for name in unit.names)
        trace = influence.trace(unit, scope.globals, inner, plain=plain)
        trace.causes = [cause for cause in trace.causes if cause.home not in {(module, name) for name in again}]
        unseen = unit.effect < ANY if unit.kind == "assign" else unit.closed
        computes = unseen and not influence.calls_own(unit, names)
        (self.unreached.discard if trace.causes else self.unreached.add)(id(unit))
        if not trace.causes or (computes and not trace.apart and not any(cause.called for cause in trace.causes)):
            return  # what only reads what changed follows without being asked here
        made = evaluated(influence.altered.former(unit) or unit, scope) if plain and not again else None
        if made is not None and not all(same_constant(scope.get(name), value) for name, value in made.items()):
            return  # it was set otherwise since
        suspect = Suspect(module, scope, unit, trace, made)
        self.found.append(suspect)
        self._units.add(id(unit))
        if scope.owner is None:
            influence.values.update((module, name) for name in unit.names)
            influence.stale.update(((module, name), suspect.is_stale) for name in unit.names)

    def _look_at_decorators(self, influence: Influence, module: str, scope: Scope, unit: Unit) -> None:
        """Names what decorators of the app, which are not applied again, made of values that change.

        What they are given is looked at by who follows, and what their own code does otherwise by `makers`.
        """
        names = {**scope.globals, **scope.namespace()}
        if unit.decorate is None or id(unit) in self._decorated or not influence.concerns(module, unit, names):
            return
        inner = {} if scope.owner is None else _before(unit, scope)
        trace = influence.trace(unit, scope.globals, inner, plain=False)
        given = {(module, name) for name in (*unit.reads, *unit.decorate.co_names)}
        causes = [c for c in trace.causes if not c.called and c.stale is None and c.home not in given]
        if causes:
            self._decorated.add(id(unit))
            self.found.append(Suspect(module, scope, unit, Trace(causes), None))

    def _look_at_cache(self, influence: Influence, living: object) -> None:
        cache = cache_of(living)
        if cache is not None and id(cache) not in self.caches:
            trace = influence.trace_results(cache.__wrapped__)
            if trace.causes:
                self.caches[id(cache)] = StaleCache(cache, trace)

    def clear_caches(self, log: UndoLog) -> None:
        """Empties the caches of which something that their results come from did change."""
        for cache in self.caches.values():
            cache.clear(log)

    def covers(self, unit: Unit) -> bool:
        """Whether it is decided here what becomes of a unit."""
        return id(unit) in self._units

    def follow(self, work: Transaction) -> Iterator[tuple[str, str, Any, Any]]:
        """Has every one follow that can; gives module, name, old and new value of what changed in a module."""
        for suspect in self.found:
            for name, old, new in suspect.follow(work):
                if suspect.scope.owner is None:
                    yield suspect.module, name, old, new

    def name(self, report: SwapReport) -> None:
        """Names those that did not follow."""
        for suspect in self.found:
            suspect.name(report)
        for item in self.left:
            for module, name in item.places():
                report.of(module).note_stale(name, item.why)


def evaluated(unit: Unit, scope: Scope) -> dict[str, Any] | None:
    """What a unit would bind if it ran now; None if that could be noticed, fails, or is not plain."""
    names = _before(unit, scope)
    if not only_builds(unit.code, scope, names):
        return None
    names["__annotations__"] = dict(names.get("__annotations__", {}))
    try:
        scope.run(unit.code, names)
    except Exception:  # what cannot be computed any more is stale, no more
        return None
    made = {name: names.get(name, names) for name in unit.names}
    return made if all(map(is_constant, made.values())) else None


def _before(unit: Unit, scope: Scope) -> dict[str, Any]:
    """The names that a unit finds by plain lookup before the module's: of a class, its members but those it binds."""
    return {name: value for name, value in scope.namespace().items() if name not in unit.names}


def guards_main(unit: Unit) -> bool:
    """Whether a statement is for scripts: ``if __name__ == "__main__"``."""
    return unit.key.startswith("If ") and "__name__" in unit.reads

"""Computes again what was computed from a binding that changed, where that is a plain value and nothing else did it.

Each is evaluated twice, once with the old binding and once with the new: only what equals the former may become the
latter. Evaluation reads names and never calls anything, so it can be seen by no one.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import CodeType, ModuleType
from typing import Any

from habanero_receiver.swap.building.units import CALLS, PURE, Unit
from habanero_receiver.swap.classes.headers import FinishClass, Rebase
from habanero_receiver.swap.classes.layouts import LayoutError
from habanero_receiver.swap.classes.shapes import can_follow, special_kind
from habanero_receiver.swap.classes.twins import Reshape
from habanero_receiver.swap.containers.tables import EXCHANGED, exchange
from habanero_receiver.swap.diff import Match
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.statements.blocks import follow_block
from habanero_receiver.swap.statements.scope import UNKNOWN, Scope
from habanero_receiver.swap.transaction import Transaction

from .classvars import MISSING, Was, as_it_was, leads_to, past_of
from .constants import are_pure, is_readable, same_constant
from .signatures import (
    calls,
    choose,
    decorators_of,
    follow_signature,
    function_of,
    named_in_text,
    readable,
    unread,
)


@dataclass(slots=True)
class Derived:
    """What follows, in one module or class, from names that were bound to other objects before the commit."""

    scope: Scope
    was: Was
    """By module, what changed names were bound to. Those that were unbound are bound to a mark of it."""
    put: dict[Any, Any]
    """What names of this module or class were given in this commit already, because they follow; of a class in it, by
    its identity: that, and what the names were before."""
    work: Transaction
    inside: dict[str, Any] = field(default_factory=dict)
    """Of a class: what changed attributes were before the commit."""
    left: list[str] = field(default_factory=list)
    """The members of classes, by their paths, that could not follow."""

    @property
    def old(self) -> Mapping[str, Any]:
        """What changed names were bound to, as the statements of this module or class see them."""
        return {**self._old_globals, **self.inside}

    @property
    def _old_globals(self) -> Mapping[str, Any]:
        return self.was.get(self.scope.globals["__name__"], {})

    def is_touched(self, unit: Unit) -> bool:
        """Whether a unit reads something that changed."""
        attributes = self.attributes_read(unit)
        return any(not attributes.isdisjoint(names) for names in self.was.values()) or not self.old.keys().isdisjoint(
            unit.reads
        )

    def attributes_read(self, unit: Unit) -> frozenset[str]:
        """The names that a unit could read as attributes of the app's modules, and of classes of which some changed."""
        leads = any(leads_to(self._lookup(name), self.was) for name in unit.reads)
        code = unit.bases if unit.members else unit.code
        own = frozenset(code.co_names) if leads and code is not None else frozenset[str]()
        return own.union(*map(self.attributes_read, unit.members))

    def reads_of(self, unit: Unit, owner: str | int) -> bool:
        """Whether a unit could read an attribute of a module, or of a class, its instances or what is inside of it."""
        if is_a(owner, str):
            return True
        return any(self._leads_back(self._lookup(name)) for name in unit.reads)

    def of_statement(self, unit: Unit, live: Mapping[str, Any]) -> list[tuple[str, Any, Any]] | None:
        """Lets what a kept statement bound follow; gives each name that changed, with its old value and its new one.

        None if it cannot follow as a whole: functions and classes in its tables are exchanged even so.
        """
        values = self.of_assignment(unit, live)
        if values is None:
            values = follow_block(self.scope, unit, self._past(), self.work)
        if values is None:
            self.of_table(unit, live)
            return None
        for name, _, new in values:
            if new is not MISSING and live.get(name, MISSING) is not new:
                self.scope.bind(self.work.log, name, new)
            self.put[name] = new
        return values

    def of_assignment(self, unit: Unit, live: Mapping[str, Any]) -> list[tuple[str, Any, Any]] | None:
        """Each name with its live value and its new one, of constants and of other names for what was bound.

        None if it is no such statement, or if any of the values was set otherwise since.
        """
        if unit.kind != "assign" or not unit.names or not self._computes_unseen(unit):
            return None
        try:
            was, now = self._evaluate(unit.code, past=True), self._evaluate(unit.code, past=False)
            self._follow_annotations(was, now)
            values = [(name, live[name], was[name], now[name]) for name in unit.names]
        except Exception:  # a constant that cannot be computed any more is stale, no more
            return None
        for name, value, before, _ in values:
            first = self.old.get(name, value) if value is self.put.get(name, MISSING) else value
            if not same_constant(before, first):
                return None
        return [(name, value, after) for name, value, _, after in values if value is not after]

    def _follow_annotations(self, was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        """Has the annotation of a variable follow, if the old names made it what it is."""
        held = self.scope.get("__annotations__") or {}
        for name, annotation in now["__annotations__"].items():
            if name in held and name in was["__annotations__"]:
                self.work.log.set_item(held, name, choose(held[name], was["__annotations__"][name], annotation))

    def of_table(self, unit: Unit, live: Mapping[str, Any]) -> None:
        """Has tables that a unit made hold what functions and classes that it reads are bound to now."""
        changed = self._successors(unit, unit.reads).items()
        successors = {key: now for key, (old, now) in changed if is_a(old, EXCHANGED)}
        for name in unit.names:
            exchange(self.work.log, live.get(name), successors)

    def _successors(self, unit: Unit, reads: Collection[str]) -> dict[int, tuple[Any, Any]]:
        """What names that a unit reads were bound to, and are now, by the identity of the former."""
        found: dict[int, tuple[Any, Any]] = {}
        for module, names in self.was.items():
            if not is_a(module, str):
                continue
            mine = module == self.scope.globals["__name__"]
            now = self.scope.globals if mine else vars(sys.modules[module])
            read = {*reads} if mine else {*reads} & self.attributes_read(unit)
            for name in names.keys() & read & now.keys():
                if now[name] is not names[name]:
                    found[id(names[name])] = (names[name], now[name])
        return found

    def _computes_unseen(self, unit: Unit) -> bool:
        if unit.effect == PURE:
            return True
        names = {name: self._lookup(name) for name in unit.reads}
        return unit.effect == CALLS and are_pure(unit.calls, names) and all(map(self._is_settled, names.values()))

    def _is_settled(self, value: Any) -> bool:
        settled = value is UNKNOWN or is_readable(value) or is_a(value, ModuleType)
        return settled or self.scope.is_outside(value)

    def _lookup(self, name: str) -> Any:
        return self.scope.namespace().get(name, self.scope.lookup(name))

    def of_function(self, unit: Unit, living: Any) -> bool:
        """Lets defaults and annotations of a living function follow. Returns whether nothing stale is left."""
        function, code = function_of(unit, living), readable(unit)
        if function is None or (code is None and not unit.textual):
            return False
        moved = bool(self._successors(unit, named_in_text(function)))  # who resolves the text resolves it again
        if code is not None:
            try:
                was, now = (self._evaluate(code, past=past)[unit.names[0]] for past in (True, False))
            except Exception:  # as above
                return False
            moved |= follow_signature(self.work.log, function, was, now)
        if moved:
            self.work.redefined.append(function)
        given = self.work.succeed(function, self._successors(unit, decorators_of(unit)))
        return given and not self._successors(unit, unread(unit))

    def of_class(self, unit: Unit) -> bool:
        """Lets the plain attributes of a living class follow, and its methods' defaults. Returns as `of_function`."""
        cls = self.scope.get(unit.names[0])
        if not is_a(cls, type) or cls.__qualname__.rpartition(".")[2] != unit.spelled:
            return False
        rebased = self._follow_bases(unit, cls)
        if special_kind(cls):
            return self._of_special(unit, cls, rebased=rebased)
        put, before = self.put.setdefault(id(cls), ({}, {}))
        inside = Derived(self.scope.inside(cls), self.was, put, self.work, before, self.left)
        settled = True
        for member in unit.members:
            if inside.is_touched(member) and not inside.of_member(member, cls):
                settled = False
                if member.kind != "class":
                    self.left.extend(f"{cls.__qualname__}.{what}" for what in member.bindings)
        return settled

    def _follow_bases(self, unit: Unit, cls: type) -> bool:
        """Gives a class the bases that the names of its header mean now; whether they changed. Raises LayoutError."""
        header = unit.bases
        if header is None or calls(header) or not self._reads_changed(header):
            return False
        before = cls.__bases__
        Rebase(self.scope, unit, cls)(self.work)
        if cls.__bases__ != before:
            FinishClass(cls)(self.work)
        return cls.__bases__ != before

    def _reads_changed(self, code: CodeType) -> bool:
        return any(not names.keys().isdisjoint(code.co_names) for names in self.was.values())

    def of_member(self, member: Unit, cls: type) -> bool:
        """Lets a member of the class of this scope follow. Returns as `of_function`."""
        if member.kind == "class":
            return self.of_class(member)
        if member.kind == "function":
            return self.of_function(member, vars(cls).get(member.names[0]))
        values = self.of_statement(member, vars(cls))
        self.inside.update({name: old for name, old, _ in values or ()})
        return values is not None

    def _of_special(self, unit: Unit, cls: type, *, rebased: bool) -> bool:
        """A class that derives from its body does so again; if it cannot take that, it is stale."""
        reads = [m for m in unit.members if m.kind != "function" and self.is_touched(m)]
        if not (reads or rebased) or not can_follow(cls, self.scope.is_own):
            return not (reads or rebased)
        members = tuple(Match(m._replace(outline="") if m in reads else m, m) for m in unit.members)
        try:
            Reshape(self.scope, unit, cls, members)(self.work)
        except LayoutError:
            return False
        return True

    def _evaluate(self, code: CodeType, *, past: bool) -> dict[str, Any]:
        names = self.scope.namespace()
        names["__annotations__"] = {}  # those of the living class are not to be written to
        if not past:
            self.scope.run(code, names)
            return names
        names |= self._as_they_were(names)
        old = self._old_names()
        names |= self.inside if self.scope.owner is not None else old
        replace(self.scope, globals={**self.scope.globals, **old}).run(code, names)  # generators read globals
        return names

    def _old_names(self) -> dict[str, Any]:
        """The names of the module that another value was bound to, or that lead to what changed, as they were."""
        old = self._as_they_were(self.scope.globals)
        return old | {name: value for name, value in self._old_globals.items() if value is not MISSING}

    def _past(self) -> dict[str, Any]:
        return {**self._old_names(), **self._as_they_were(self.scope.namespace()), **self.inside}

    def _as_they_were(self, names: Mapping[str, Any]) -> dict[str, Any]:
        return {name: as_it_was(value, self.was) for name, value in names.items() if self._leads_back(value)}

    def _leads_back(self, value: Any) -> bool:
        """Whether what is read through a value may have been something else."""
        if issubclass(type(value), ModuleType):
            return self.scope.is_own(value.__name__)
        return leads_to(value, self.was)


@dataclass(frozen=True, slots=True)
class FollowMembers:
    """Lets the members of a class that did not change follow those of the same body that did."""

    scope: Scope
    members: tuple[Unit, ...]
    before: Mapping[str, Any]
    """What the members that change were, by name."""
    told: bool
    """Whether those that cannot follow are named in the report; not if the class derives what it has from them."""

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        cls = self.scope.owner
        assert cls is not None  # of the scope of a class
        inside = {name: value for name, value in self.before.items() if vars(cls).get(name, MISSING) is not value}
        derived = Derived(self.scope, past_of(work.classvars), {}, work, inside)
        stale = work.report.of(self.scope.globals["__name__"]).stale
        for member in self.members:
            if member.kind == "class" or not derived.is_touched(member):
                continue  # a class does not see the names of the one around it
            if not derived.of_member(member, cls) and self.told:
                stale.extend(f"{cls.__qualname__}.{what}" for what in member.bindings)

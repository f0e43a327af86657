"""Lets what was computed from a changed binding follow it: names imported from it, and plain constants built on it.

That covers names of modules, attributes of classes, defaults and annotations of functions, if they are constants or the
very object that was bound, and are what the old binding made them: what the process set otherwise since stays. A live
object that was computed from a changed binding is kept, and named as stale.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from habanero_receiver.swap.building.units import Import, Unit
from habanero_receiver.swap.containers.entries import holds
from habanero_receiver.swap.containers.merge import CONTAINERS
from habanero_receiver.swap.containers.tables import EXCHANGED
from habanero_receiver.swap.kinds import is_a, is_instance
from habanero_receiver.swap.report import SwapReport
from habanero_receiver.swap.statements.isolated import filled_by, run_isolated
from habanero_receiver.swap.statements.scope import Scope
from habanero_receiver.swap.transaction import Transaction

from .classvars import MISSING, ClassVars, Was
from .constants import is_constant
from .derived import Derived
from .left import may_hold
from .signatures import decorators_of
from .suspects import Suspects, guards_main


@dataclass(frozen=True, slots=True)
class Kept:
    """The units of one live module that a swap does not run, and where they run."""

    name: str
    scope: Scope
    units: tuple[Unit, ...]
    again: Mapping[str, frozenset[str]]
    """Names that units read before others bind them again, by the units' keys."""

    def may_change(self, changing: Mapping[str, Collection[str]]) -> set[str]:
        """The names of this module that may be bound to others, when those that ``changing`` gives by module are."""
        attributes = {name for names in changing.values() for name in names}
        found = set(changing.get(self.name, ()))
        for unit in self.units:
            found.update(i.bound for i in unit.imports if i.name in changing.get(i.module, ()))
            if any(i.name == "*" and i.module in changing for i in unit.imports):
                found |= attributes
            reads = {*unit.reads} & found or {*unit.code.co_names} & attributes
            if reads and (unit.kind == "assign" or (unit.kind == "other" and unit.closed)):
                found.update(unit.names)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """A module's name that was bound to another object. ``MISSING`` stands for unbound."""

    module: str | int
    """Its name; of an attribute of a class, the identity of that."""
    name: str
    old: Any
    new: Any

    @property
    def rebinds(self) -> bool:
        """Whether it was bound before and is now. Told by identity: objects of the app are not asked if they equal."""
        return self.old is not MISSING and self.new is not MISSING


def changes_since(before: Mapping[str, Mapping[str, Any]]) -> list[Change]:
    """What the namespaces of the live modules named in ``before`` bind otherwise than they did."""
    found = []
    for module, names in before.items():
        now = vars(sys.modules[module])
        for name in {**names, **now}:
            old, new = names.get(name, MISSING), now.get(name, MISSING)
            if new is not old:
                found.append(Change(module, name, old, new))
    return found


def changes_of(classvars: Iterable[ClassVars]) -> list[Change]:
    """What attributes of classes are otherwise than when this was asked last."""
    found: list[Change] = []
    for item in classvars:
        found.extend(Change(id(item.cls), name, old, new) for name, old, new in item.changes())
        item.look()
    return found


@dataclass(slots=True)
class Following:
    """What follows from changed bindings in the course of one commit."""

    kept: Mapping[str, Kept]
    """The modules that may have to follow, imported ones first."""
    suspects: Suspects
    """Units of theirs of which it is decided elsewhere what becomes."""
    work: Transaction
    report: SwapReport
    was: dict[str | int, dict[str, Any]] = field(default_factory=dict)
    """By module or class, what changed names were bound to before the commit."""
    put: dict[str, dict[Any, Any]] = field(default_factory=dict)
    """By module, what names of kept statements were given since."""
    _filled: list[Change] = field(default_factory=list)
    """The changes after which what importers add was added again."""
    _done: set[tuple[int, Change]] = field(default_factory=set)
    """Which units followed which changes already."""

    def follow(self, changes: Iterable[Change]) -> None:
        """Brings importers and what is computed in line with the changes, and with what that changes in turn.

        Module by module and statement by statement, in the order in which a fresh process would come to them.
        """
        fresh = list(changes)
        while fresh:
            found: list[Change] = []
            for change in fresh:
                self._note(change)
            for importer in self.kept.values():
                moved = [*fresh, *found]
                for change in moved:
                    found.extend(map(self._note, _follow_imports(change, importer, self.work, self.was)))
                self._fill_again(importer, found)
                self._follow_readers(importer, [*fresh, *found], found)
            fresh = found

    def _fill_again(self, importer: Kept, followed: Iterable[Change]) -> None:
        """Has statements that add to an imported container (``SHARED += [...]``) add to the one that took its place."""
        for change in followed:
            if change.module != importer.name or type(change.new) not in CONTAINERS or change in self._filled:
                continue
            self._filled.append(change)
            fillers = [unit for unit in importer.units if unit.kind != "import" and change.name in filled_by(unit)]
            try:
                run_isolated(importer.scope, fillers, (), {change.name: change.new})
            except Exception as error:  # it can be seen, or raises: what it had added is missing
                self.report.of(importer.name).note_stale(change.name, f"it was made again: {error}")

    def _note(self, change: Change) -> Change:
        self.was.setdefault(change.module, {}).setdefault(change.name, change.old)
        return change

    def _follow_readers(self, kept: Kept, fresh: list[Change], found: list[Change]) -> None:
        """Computes again, in one module, what reads a name of it or an attribute of another that changed."""
        changed = {c.name: c for c in fresh if c.module == kept.name and c.rebinds}
        elsewhere: dict[str, list[Change]] = {}
        for c in fresh:
            if c.module != kept.name and c.rebinds:
                elsewhere.setdefault(c.name, []).append(c)
        derived = Derived(kept.scope, self.was, self.put.setdefault(kept.name, {}), self.work)
        for unit in kept.units:
            again = kept.again.get(unit.key, ())
            causes = [changed[name] for name in unit.reads if name in changed and name not in again]
            read = (c for name in derived.attributes_read(unit) for c in elsewhere.get(name, ()))
            itself = id(kept.scope.get(unit.names[0])) if unit.kind == "class" else 0
            causes += [c for c in read if c.module != itself and derived.reads_of(unit, c.module)]
            causes = [cause for cause in causes if (id(unit), cause) not in self._done]
            if not causes or self.suspects.covers(unit):
                continue
            self._done.update((id(unit), cause) for cause in causes)
            derived.left.clear()
            if unit.kind == "class":
                done = derived.of_class(unit)
            elif unit.kind == "function":
                done = derived.of_function(unit, kept.scope.get(unit.names[0]))
            else:
                values = derived.of_statement(unit, kept.scope.globals)
                done = values is not None
                for name, old, new in values or ():
                    changed[name] = self._note(Change(kept.name, name, old, new))
                    found.append(changed[name])
            reads = self._read_for_sure(kept, unit, causes)
            if not done and reads and not guards_main(unit):
                for what in derived.left or _made_by(unit):
                    who = "it" if unit.names else f"line {unit.line} made it, and"
                    self.report.of(kept.name).note_stale(what, f"{who} reads {', '.join(reads)}, which changed")
                self._name_registries(unit, causes)
                self._name_readers(kept, unit)

    def _read_for_sure(self, kept: Kept, unit: Unit, causes: Iterable[Change]) -> list[str]:
        """The names of what a unit reads: not of what is only called the same, where that could be told."""
        unreached = id(unit) in self.suspects.unreached
        made = [kept.scope.get(name) for name in unit.names]
        given = decorators_of(unit) if unit.kind == "function" else ()  # they are not applied again
        asked = {path.partition(".")[0] for path in unit.calls if "." in path}
        called = {path.rpartition(".")[2] for path in unit.calls}
        left = (
            c
            for c in causes
            if c.name in given or _is_left(c.old, made, asked=c.name in asked, called=c.name in called)
        )
        read = (c for c in left if not (unreached and c.module != kept.name))
        return list(dict.fromkeys(cause.name for cause in read))

    def _name_registries(self, unit: Unit, causes: Iterable[Change]) -> None:
        """Names the objects that decorators of a kept function would register it with now."""
        for cause in causes if unit.kind == "function" else ():
            named = is_a(cause.module, str) and cause.rebinds and cause.name in decorators_of(unit)
            if named and may_hold(cause.new):
                why = f"{unit.names[0]} is registered with what it was bound to before"
                self.report.of(str(cause.module)).note_stale(cause.name, why)

    def _name_readers(self, kept: Kept, stale: Unit) -> None:
        """Names the plain values that kept statements took from what one of them made, which is stale."""
        homes = {(kept.name, name) for name in stale.names} if stale.kind == "assign" else set()
        for module in self.kept.values() if homes else ():
            items = [item for unit in module.units for item in unit.imports if (item.module, item.name) in homes]
            homes.update((module.name, item.bound) for item in items)
            for unit in module.units:
                taken = [name for name in unit.reads if (module.name, name) in homes]
                plain = all(is_constant(module.scope.get(name)) for name in unit.names)
                if taken and unit is not stale and unit.kind == "assign" and plain:
                    self.report.of(module.name).note_stale(unit.label, f"it reads {', '.join(taken)}, which is stale")
                    homes.update((module.name, name) for name in unit.names)


def _made_by(unit: Unit) -> list[str]:
    """What people read of what a unit made: its names, else the containers and attributes that it filled."""
    filled = {*filled_by(unit), *(".".join(pair) for pair in unit.attributes)} if not unit.names else set()
    return sorted(filled) or [*unit.bindings]


def _is_left(old: Any, made: list[Any], *, asked: bool, called: bool) -> bool:
    """Whether a statement that read ``old`` and ``made`` these is stale for that: functions in tables follow.

    ``asked``: a method of it was called, so that it was changed or told something, if it is an object. ``called``: it
    was called itself; what functions of the app give is looked at elsewhere, by their code.
    """
    if is_a(old, type):  # what is named so is another class now
        return any(is_instance(part, old) for value in made for part in _held_in(value))
    if is_a(old, EXCHANGED):
        return called and not is_a(old, FunctionType)
    return asked or called or not callable(old) or any(holds(value, [old]) for value in made)


def _held_in(value: Any, depth: int = 2) -> Iterator[Any]:
    """A value, and what a plain container, a class or the defaults of a function hold."""
    yield value
    held: Iterable[Any] = ()
    if type(value) is dict:
        held = value.values()
    elif type(value) in (list, tuple, set, frozenset):
        held = value
    elif is_a(value, type):
        held = vars(value).values()
    elif is_a(value, FunctionType):
        held = (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values())
    for part in [*held] if depth else ():
        yield from _held_in(part, depth - 1)


def _follow_imports(change: Change, importer: Kept, work: Transaction, was: Was) -> list[Change]:
    names = importer.scope.globals
    followed: list[Change] = []
    for unit in importer.units:
        for item in unit.imports:
            if item.name == "*" and item.module == change.module and change.name == "__all__":
                followed.extend(_follow_exports(change, importer, unit, work))
            bound = _bound_by(item, change, was.get(change.module, {}))
            if bound is None or names.get(bound, MISSING) is not change.old or _rebinds(importer, unit, bound):
                continue
            if change.new is not MISSING:
                work.log.set_item(names, bound, change.new)
            elif item.name == "*":
                work.log.delete_item(names, bound)
            else:
                continue  # a fresh import would fail: what runs now goes on with what it has
            followed.append(Change(importer.name, bound, change.old, change.new))
    return followed


def _follow_exports(change: Change, importer: Kept, unit: Unit, work: Transaction) -> Iterator[Change]:
    """Brings a star import in line with ``__all__``: names that were there before, and are public now or no more."""
    names, exporter = importer.scope.globals, vars(sys.modules[str(change.module)])
    old, new = (set(value) if is_a(value, (list, tuple)) else set() for value in (change.old, change.new))
    for name in sorted(old ^ new):
        value = exporter.get(name, MISSING)
        if value is MISSING or _rebinds(importer, unit, name) or any(name in u.names for u in importer.units):
            continue
        if name in new and name not in names:
            work.log.set_item(names, name, value)
            yield Change(importer.name, name, MISSING, value)
        elif name in old and names.get(name) is value:
            work.log.delete_item(names, name)
            yield Change(importer.name, name, value, MISSING)


def _bound_by(item: Import, change: Change, was: Mapping[str, Any]) -> str | None:
    """The name by which an import binds what changed, if it does."""
    if item.module != change.module:
        return None
    if item.name == change.name:
        return item.bound if change.old is not MISSING else None
    if item.name != "*":
        return None
    exported = vars(sys.modules[item.module]).get("__all__")
    if change.new is MISSING:
        exported = was.get("__all__", exported)  # what is gone was bound if it was public then
    if exported is None or exported is MISSING:
        return None if change.name.startswith("_") else change.name
    public = change.name in exported
    return change.name if public else None


def _rebinds(importer: Kept, unit: Unit, name: str) -> bool:
    """Whether the importer binds the name by another statement too, not only adds to it: it is its own then."""
    others = (other for other in importer.units if other is not unit and other.kind != "import")
    return any(name in other.names and name not in filled_by(other) for other in others)

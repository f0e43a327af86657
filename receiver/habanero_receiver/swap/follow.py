"""Lets what was computed from a changed binding follow it: names imported from it, and plain constants built on it.

That covers names of modules, attributes of classes and defaults of functions, whose values are plain and are what the
old binding made them: what the process set otherwise since stays. A live object that was computed from a changed
binding is kept, and named as stale.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .build import Import, Unit
from .derived import Derived
from .report import SwapReport
from .scope import Scope
from .transaction import Transaction

_MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class Kept:
    """The units of one live module that a swap does not run, and where they run."""

    name: str
    scope: Scope
    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A module's name that was bound to another object. ``_MISSING`` stands for unbound."""

    module: str
    name: str
    old: Any
    new: Any


def changes_since(before: Mapping[str, Mapping[str, Any]]) -> list[Change]:
    """What the namespaces of the live modules named in ``before`` bind otherwise than they did."""
    found = []
    for module, names in before.items():
        now = vars(sys.modules[module])
        for name in {**names, **now}:
            old, new = names.get(name, _MISSING), now.get(name, _MISSING)
            if new is not old:
                found.append(Change(module, name, old, new))
    return found


def follow(changes: Iterable[Change], kept: Mapping[str, Kept], work: Transaction, report: SwapReport) -> None:
    """Brings importers and what is computed in line with the changes, and with what that changes in turn."""
    waiting = list(changes)
    while waiting:
        change = waiting.pop(0)
        for importer in kept.values():
            waiting.extend(_follow_imports(change, importer, work))
        if change.module in kept and _MISSING not in (change.old, change.new):
            waiting.extend(_follow_readers(change, kept[change.module], work, report))


def _follow_imports(change: Change, importer: Kept, work: Transaction) -> list[Change]:
    names = importer.scope.globals
    followed = []
    for unit in importer.units:
        for item in unit.imports:
            bound = _bound_by(item, change)
            if bound is None or names.get(bound, _MISSING) is not change.old or _rebinds(importer, unit, bound):
                continue
            if change.new is not _MISSING:
                work.log.set_item(names, bound, change.new)
            elif item.name == "*":
                work.log.delete_item(names, bound)
            else:
                continue  # a fresh import would fail: what runs now goes on with what it has
            followed.append(Change(importer.name, bound, change.old, change.new))
    return followed


def _bound_by(item: Import, change: Change) -> str | None:
    """The name by which an import binds what changed, if it does."""
    if item.module != change.module:
        return None
    if item.name == change.name:
        return item.bound if change.old is not _MISSING else None
    if item.name != "*":
        return None
    exported = vars(sys.modules[change.module]).get("__all__")
    public = change.name in exported if exported is not None else not change.name.startswith("_")
    return change.name if public else None


def _rebinds(importer: Kept, unit: Unit, name: str) -> bool:
    """Whether the importer binds the name by another statement too: it is its own then."""
    return any(name in other.names for other in importer.units if other is not unit and other.kind != "import")


def _follow_readers(change: Change, kept: Kept, work: Transaction, report: SwapReport) -> list[Change]:
    followed = []
    derived = Derived(kept.scope, {change.name: change.old}, {change.name: change.new}, work)
    for unit in kept.units:
        if change.name not in unit.reads:
            continue
        if unit.kind == "class":
            done = derived.of_class(unit)
        elif unit.kind == "function":
            done = derived.of_function(unit, kept.scope.get(unit.names[0]))
        else:
            value = derived.of_assignment(unit, kept.scope.globals)
            done = value is not None
            if value is not None:
                name, old, new = value
                work.log.set_item(kept.scope.globals, name, new)
                followed.append(Change(kept.name, name, old, new))
        if not done and not callable(change.old) and unit.key not in report.of(kept.name).stale:
            report.of(kept.name).stale.append(unit.key)
    return followed

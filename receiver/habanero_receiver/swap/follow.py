"""Lets what was computed from a changed binding follow it: names imported from it, and plain constants built on it.

A live object that was computed from it is kept, and named as stale.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .build import PURE, Unit
from .functions import is_plain
from .report import SwapReport
from .steps import Scope
from .undo import UndoLog

_MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class Kept:
    """The units of one live module that a swap does not run, and where they run."""

    name: str
    scope: Scope
    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A module's name that was bound to another object."""

    module: str
    name: str
    old: Any
    new: Any


def changes_since(before: Mapping[str, Mapping[str, Any]]) -> list[Change]:
    """What the namespaces of the live modules named in ``before`` bind otherwise than they did."""
    found = []
    for module, names in before.items():
        now = vars(sys.modules[module])
        for name, old in names.items():
            new = now.get(name, _MISSING)
            if new is not old and new is not _MISSING:
                found.append(Change(module, name, old, new))
    return found


def follow(changes: Iterable[Change], kept: Mapping[str, Kept], log: UndoLog, report: SwapReport) -> None:
    """Brings importers and plain constants in line with the changes, and with what that changes in turn."""
    waiting = list(changes)
    while waiting:
        change = waiting.pop(0)
        waiting.extend(_follow_importers(change, kept, log))
        if change.module in kept:
            waiting.extend(_follow_readers(change, kept[change.module], log, report))


def _follow_importers(change: Change, kept: Mapping[str, Kept], log: UndoLog) -> list[Change]:
    followed = []
    for importer in kept.values():
        for unit in importer.units:
            for item in unit.imports:
                if item.module != change.module or item.name != change.name:
                    continue
                if importer.scope.globals.get(item.bound, _MISSING) is change.old:
                    log.set_item(importer.scope.globals, item.bound, change.new)
                    followed.append(Change(importer.name, item.bound, change.old, change.new))
    return followed


def _follow_readers(change: Change, kept: Kept, log: UndoLog, report: SwapReport) -> list[Change]:
    followed = []
    for unit in kept.units:
        if change.name not in unit.reads:
            continue
        result = _recompute(unit, change, kept.scope) if unit.kind == "assign" and unit.effect == PURE else None
        if result is None:
            if not _is_callable_like(change.old) and unit.key not in report.of(kept.name).stale:
                report.of(kept.name).stale.append(unit.key)
            continue
        name, old, new = result
        log.set_item(kept.scope.globals, name, new)
        followed.append(Change(kept.name, name, old, new))
    return followed


def _recompute(unit: Unit, change: Change, scope: Scope) -> tuple[str, Any, Any] | None:
    """The name, live value and new value of a plain constant; None if it is none, or was set otherwise at run time."""
    if len(unit.names) != 1:
        return None
    name = unit.names[0]
    live = scope.globals.get(name, _MISSING)
    if not is_plain(live):
        return None
    try:
        was, now = _evaluate(unit, scope, change.name, change.old), _evaluate(unit, scope, change.name, change.new)
    except Exception:  # a constant that cannot be computed any more is stale, no more
        return None
    if type(was) is not type(live) or was != live or not is_plain(now):
        return None
    return name, live, now


def _evaluate(unit: Unit, scope: Scope, name: str, value: Any) -> Any:
    names = {name: value}
    scope.run(unit.code, names)
    return names[unit.names[0]]


def _is_callable_like(value: Any) -> bool:
    """Functions and classes keep their identity: what was made from them is not stale."""
    return callable(value)

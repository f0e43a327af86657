"""What decorators registered: found without knowing the framework, and replaced in its place.

A registry is any container that can be reached from what a decorator reads: ``@app.get("/")`` reads ``app``, which
holds a list of routes. An entry belongs to a function if it is the function, or holds it a few steps down.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from .live import instance_dict
from .undo import Snapshot, UndoLog, fill, reorder

_ENTRY_DEPTH = 3


def holds(entry: object, targets: Iterable[object], depth: int = _ENTRY_DEPTH) -> bool:
    """Whether ``entry`` is one of ``targets`` or holds one a few steps down."""
    wanted = {id(target) for target in targets}
    level: list[object] = [entry]
    for _ in range(depth):
        below: list[object] = []
        for item in level:
            if id(item) in wanted:
                return True
            if isinstance(item, (tuple, list)):
                below.extend(item)
            elif isinstance(item, (staticmethod, classmethod)):
                below.append(item.__func__)
            elif not isinstance(item, (type, ModuleType)):
                below.extend((instance_dict(item) or {}).values())
        level = below
    return any(id(item) in wanted for item in level)


class Registrations:
    """The containers that a function's decorators can reach, as they are before the decorators run again."""

    def __init__(self, roots: Iterable[object], own_modules: frozenset[str]) -> None:
        self._roots = list(roots)
        self._before = Snapshot(self._roots, own_modules)

    def settle(self, log: UndoLog, old: list[object], new: list[object]) -> int:
        """Puts what was registered since into the places of what was registered for ``old``; drops what is left of it.

        Returns how many old entries were replaced or dropped. ``new`` are the objects registered now; they may be the
        very same ones as ``old``.
        """
        count = 0
        for items, before in self._before.lists:
            count += _settle_list(log, items, before, old, new)
        for mapping, before_mapping in self._before.dicts:
            count += _settle_mapping(log, mapping, before_mapping, old, new)
        return count


def _settle_list(
    log: UndoLog, items: list[Any] | deque[Any], before: list[Any], old: list[object], new: list[object]
) -> int:
    known = {id(item) for item in before}
    fresh = [item for item in items if id(item) not in known and holds(item, new)]
    replaced = [item for item in items if id(item) in known and holds(item, old)]
    if not replaced or (not fresh and new):
        return 0
    queue = list(fresh)
    gone, taken = {id(item) for item in replaced}, {id(item) for item in fresh}
    result: list[Any] = []
    for item in items:
        if id(item) in gone:
            if queue:
                result.append(queue.pop(0))
        elif id(item) not in taken or any(item is left for left in queue):
            result.append(item)
    log.do((fill, items, result), (fill, items, list(items)))
    return len(replaced)


def _settle_mapping(
    log: UndoLog, mapping: dict[Any, Any], before: dict[Any, Any], old: list[object], new: list[object]
) -> int:
    """Drops the entries of ``old`` under keys that were not written again, if others were written or none is wanted."""
    fresh = [key for key, value in mapping.items() if before.get(key) is not value and holds(value, new)]
    left = [
        key
        for key, value in before.items()
        if mapping.get(key) is value and not isinstance(value, (dict, list)) and holds(value, old, depth=2)
    ]
    if not left or (not fresh and new):
        return 0
    order = list(before)
    for key, added in zip(left, (key for key in fresh if key not in before), strict=False):
        order[order.index(key)] = added
    for key in left:
        log.do((mapping.pop, key, None), (mapping.__setitem__, key, mapping[key]))
    log.do((reorder, mapping, order), (reorder, mapping, list(mapping)))
    return len(left)

"""Tables that unchanged statements made: where they hold what a name was bound to, they hold what it is bound to now.

``FILTERS = {"unique": unique}`` is kept when ``unique`` gets other decorators; a fresh process would have the decorated
function in it. Functions and classes are exchanged in place, one by one, those that a partial calls too;
whatever else is in a table stays.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import lru_cache, partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.undo import UndoLog, fill, reorder

_DEPTH = 4
EXCHANGED = (FunctionType, BuiltinFunctionType, MethodType, type, partial, type(lru_cache(len)))
"""What is exchanged: functions, what is made of one, and classes. An object of another class is state, if it can be
called or not."""

Successors = Mapping[int, Any]
"""What to hold instead, by the identity of what was held."""


def exchange(log: UndoLog, table: object, successors: Successors, depth: int = _DEPTH) -> None:
    """Puts the successors into the places of what they follow, in ``table`` and the containers in it.

    ``depth``: how many containers deep; with 1 only where they stand in ``table`` by themselves, not in a tuple.
    """
    if depth == 0 or not successors:
        return
    if type(table) in (list, deque):
        _exchange_items(log, table, successors, depth)  # type: ignore[arg-type]  # told by its type
    elif type(table) is set:
        for member in [member for member in table if id(member) in successors]:
            log.do((table.discard, member), (table.add, member))
            log.do((table.add, successors[id(member)]), (table.discard, successors[id(member)]))
    elif is_a(table, dict):
        _exchange_entries(log, table, successors, depth)
    elif type(table) is partial:
        state: Any = table.__reduce__()
        function, *given = state[2]  # as pickle keeps it
        if id(function) in successors:
            put: Any = table.__setstate__  # type: ignore[attr-defined]  # every partial has it
            log.do((put, (successors[id(function)], *given)), (put, (function, *given)))


def _exchange_items(log: UndoLog, items: list[Any] | deque[Any], successors: Successors, depth: int) -> None:
    now = [_followed(item, successors, depth - 1) for item in items]
    if any(a is not b for a, b in zip(now, items, strict=True)):
        log.do((fill, items, now), (fill, items, list(items)))
    for item in now:
        exchange(log, item, successors, depth - 1)


def _exchange_entries(log: UndoLog, mapping: dict[Any, Any], successors: Successors, depth: int) -> None:
    order = list(dict.keys(mapping))
    for key in order:
        value = _followed(dict.__getitem__(mapping, key), successors, depth - 1)
        log.set_item(mapping, key, value)
        exchange(log, value, successors, depth - 1)
    if any(id(key) in successors for key in order):
        log.note((reorder, mapping, order))  # the last of what is undone: all keys are back then
        for key in [key for key in order if id(key) in successors]:
            log.set_item(mapping, successors[id(key)], mapping[key])
            log.delete_item(mapping, key)
        reorder(mapping, [successors.get(id(key), key) for key in order])


def _followed(item: Any, successors: Successors, depth: int) -> Any:
    """What to hold instead of an item; a tuple is made anew if something in it is followed."""
    if id(item) in successors:
        return successors[id(item)]
    if type(item) is tuple and depth:
        now = tuple(_followed(part, successors, depth - 1) for part in item)
        return now if any(a is not b for a, b in zip(now, item, strict=True)) else item
    return item

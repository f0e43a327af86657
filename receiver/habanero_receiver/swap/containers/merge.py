"""Merges what new statements put into a container with what the process did to it since. Pure but for the undo log.

Three versions meet: what the old statements put in, what the new ones put in, and what is in the living container.
What only the old ones put in is taken out, what only the new ones put in goes where it stands in theirs, and all else,
the process's own, stays. The container stays the same object, and so does each entry that did not change.

Entries are equal if nothing that a statement says tells them apart: plain values by type and value, functions that were
made from the same code, containers by what they hold; all others only if they are the same object.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from types import FunctionType
from typing import Any

from habanero_receiver.swap.functions import fields
from habanero_receiver.swap.functions.moves import apply, become, is_plain
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.undo import UndoLog, fill, reorder

MAPPINGS = (dict, OrderedDict, defaultdict)
SEQUENCES = (list, deque)
CONTAINERS = (*MAPPINGS, *SEQUENCES, set)
"""The exact types that can be merged."""
_DEPTH = 8


def token(value: Any, depth: int = _DEPTH) -> Hashable:
    """Equal for entries that are equal, as far down as ``depth``."""
    if is_plain(value):
        return (type(value), repr(value)) if is_a(value, (float, tuple, frozenset)) else (type(value), value)
    if type(value) is FunctionType:
        return (FunctionType, value.__qualname__, value.__code__, value.__code__.co_linetable)
    if not depth or type(value) not in (*CONTAINERS, tuple):
        return id(value)
    if type(value) in MAPPINGS:
        return (type(value), tuple((token(key, depth - 1), token(item, depth - 1)) for key, item in value.items()))
    found = [token(item, depth - 1) for item in value]
    return (type(value), frozenset(found) if type(value) is set else tuple(found))


def merge(log: UndoLog, live: Any, old: Any, new: Any) -> list[Any]:
    """Brings ``live`` from ``old`` to ``new``, all of one type of CONTAINERS.

    Returns the entries (of a mapping, the keys) that the old statements put in and that could not be found.
    """
    if type(live) in MAPPINGS:
        return _merge_mapping(log, live, old, new)
    if type(live) is set:
        return _merge_set(log, live, old, new)
    result, lost = _merged(list(live), list(old), list(new))
    if len(result) != len(live) or any(a is not b for a, b in zip(result, live, strict=True)):
        log.do((fill, live, result), (fill, live, list(live)))
    return lost


def _merge_set(log: UndoLog, live: set[Any], old: set[Any], new: set[Any]) -> list[Any]:
    mine, had, wanted = ({token(item): item for item in items} for items in (live, old, new))
    for key in had.keys() - wanted.keys() & had.keys():
        if key in mine:
            log.do((live.discard, mine[key]), (live.add, mine[key]))
    for key in wanted.keys() - had.keys() - mine.keys():
        log.do((live.add, wanted[key]), (live.discard, wanted[key]))
    return []


def _merge_mapping(log: UndoLog, live: dict[Any, Any], old: dict[Any, Any], new: dict[Any, Any]) -> list[Any]:
    order, _ = _merged(list(live), list(old), list(new))
    log.note((reorder, live, list(live)))
    for key in [key for key in old if key not in new]:
        log.delete_item(live, key)
    for key, value in new.items():
        if key in old and token(old[key]) == token(value):
            continue  # the process may have changed it, or taken it away: that is its own
        mine = live.get(key)
        if key in old and type(mine) in MAPPINGS and type(mine) is type(old[key]) is type(value):
            _merge_mapping(log, mine, old[key], value)  # type: ignore[arg-type]  # mypy does not see the type test
        elif key in old and is_a(mine, FunctionType) and _made_again(mine, old[key], value):
            apply(become(value, mine), log)
        else:
            log.set_item(live, key, value)
    reorder(live, order)
    return []


def _made_again(mine: FunctionType, old: Any, new: Any) -> bool:
    """Whether the statements make the function themselves, each time they run: who holds the living one goes on."""
    if not fields.available or not type(old) is type(new) is FunctionType:
        return False
    made = mine is not old and token(mine) == token(old)
    return made and (mine.__module__, mine.__qualname__) == (new.__module__, new.__qualname__)


def _merged(live: Sequence[Any], old: Sequence[Any], new: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """The entries of a sequence, merged; and those that were to be taken out and are not there."""
    mine, had, wanted = (list(map(token, items)) for items in (live, old, new))
    found = _find(had, mine)
    gone: set[int] = set()
    lost: list[Any] = []
    fresh: dict[int, list[Any]] = {}
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, had, wanted, autojunk=False).get_opcodes():
        if tag != "equal":
            gone.update(found[i] for i in range(i1, i2) if i in found)
            lost.extend(old[i] for i in range(i1, i2) if i not in found)
            fresh.setdefault(_place(found, i1, i2, len(live)), []).extend(new[j1:j2])
    taken = {mine[i]: live[i] for i in gone}
    result: list[Any] = []
    for index in range(len(live) + 1):
        result.extend(taken.get(token(item), item) for item in fresh.get(index, ()))  # moved: the same object
        if index < len(live) and index not in gone:
            result.append(live[index])
    return result, lost


def _find(had: Sequence[Hashable], mine: Sequence[Hashable]) -> dict[int, int]:
    """Where each old entry is in the living sequence: in order as far as that goes, then wherever it was moved to."""
    found: dict[int, int] = {}
    for block in SequenceMatcher(None, had, mine, autojunk=False).get_matching_blocks():
        found.update((block.a + n, block.b + n) for n in range(block.size))
    taken = set(found.values())
    elsewhere: dict[Hashable, list[int]] = defaultdict(list)
    for place in reversed(range(len(mine))):
        if place not in taken:
            elsewhere[mine[place]].append(place)
    for index, mark in enumerate(had):
        if index not in found and elsewhere.get(mark):
            found[index] = elsewhere[mark].pop()
    return found


def _place(found: dict[int, int], first: int, end: int, size: int) -> int:
    """Before which living entry that comes which takes the place of the old ones from ``first`` to ``end``."""
    within = [found[i] for i in range(first, end) if i in found]
    before = [found[i] for i in range(first) if i in found]
    after = [place for i, place in found.items() if i >= end]
    if within:
        return min(within)
    if before:
        return found[max(i for i in range(first) if i in found)] + 1
    return min(after) if after else size

"""What decorators registered: found without knowing the framework, and replaced in its place.

A registry is any container that can be reached from what a decorator reads: ``@app.get("/")`` reads ``app``, which
holds a list of routes. An entry belongs to a function if it is the function, or holds it a few steps down (`entries`).

The rule: what the decorators registered now takes the places of what they had registered for the same function. An
entry of another place (the list of another event) goes if it is of the same make and under the same registry. What
grew although nothing in it could be told to be the older entry is named as doubled, not guessed at.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from habanero_receiver.swap.finding.graph import Graph
from habanero_receiver.swap.functions.moves import is_plain
from habanero_receiver.swap.kinds import instance_dict, is_a
from habanero_receiver.swap.undo import UndoLog, fill, reorder

from .aside import can_hold, substituted, substitutes
from .emptied import drop_emptied
from .entries import CONTAINERS, ENTRY_DEPTH, holds, shown
from .tables import exchange


@dataclass(frozen=True, slots=True)
class Double:
    """An entry of a container that may be there in an older form too."""

    container: object
    entry: str


@dataclass(slots=True)
class _Content:
    """What one container holds for the old registration, and what came with the new one.

    Entries of lists and sets; keys of mappings.
    """

    container: Any
    before: Any
    old: list[Any]
    fresh: list[Any]
    grew: list[Any]
    """All that is new in it, whether or not it can be told whose it is."""

    def kinds(self, entries: list[Any]) -> set[type]:
        """Of which make the entries are."""
        return {type(self.container[entry] if is_a(self.container, dict) else entry) for entry in entries}


class Registrations:
    """The containers that a function's decorators can reach, as they are before the decorators run again.

    ``roots`` are what old and new decorators read; ``lasting`` what the new ones read, all of it if None.
    """

    def __init__(self, graph: Graph, roots: Iterable[object], lasting: Iterable[object] | None = None) -> None:
        self._graph = graph
        self._roots = list(roots)
        self._regions = [graph.region([root]) for root in self._roots]
        self._lasting = None if lasting is None else [graph.region([root]) for root in lasting]
        self._before = graph.mark()
        self._aside: list[tuple[Any, Any]] = []

    def set_aside(self, log: UndoLog, items: Iterable[object]) -> None:
        """Lets it be told which entries of these are written again; `settle` puts back what is left of the others."""
        self._aside = substitutes(items)
        for old, new in self._aside:
            self._put(log, old, new, depth=1)

    def settle(self, log: UndoLog, old: list[object], new: list[object]) -> list[Double]:
        """Puts what was registered since into the places of what was registered for ``old``; drops what is left of it.

        ``new`` are the objects registered now; they may be the very same ones as ``old``. Returns what may be there
        twice.
        """
        contents = self._contents([*old, *self._set_aside()], new)
        moved = [content for content in contents if content.fresh]
        doubles: list[Double] = []
        replaced = False
        for content in contents:
            if content.old and (content.fresh or not new or self._moved(content, moved) or self._is_left(content)):
                replaced = True
                self._replace(log, content)
            elif content.old and any(content.kinds(content.old) & other.kinds(other.fresh) for other in moved):
                doubles += [Double(content.container, shown(entry)) for entry in content.old]
        for content in contents:
            if not content.old and not (replaced and content.fresh):
                doubles += [Double(content.container, shown(entry)) for entry in content.grew]
        for item, substitute in self._aside:
            self._put(log, substitute, item, depth=1)
        return doubles

    def clear(self, log: UndoLog, old: list[object]) -> bool:
        """Takes back all that was registered since, and drops what was registered for ``old``; whether anything was."""
        self.restore()
        self._aside = []
        contents = [content for content in self._contents(old, []) if content.old]
        for content in contents:
            self._replace(log, content)
        return bool(contents)

    def restore(self) -> None:
        """Takes back all that was registered since."""
        self._graph.restore(self._before, self._regions)

    def changed(self) -> list[Any]:
        """The containers that hold other objects since."""
        found = self._graph.objects(self._graph.since(self._before), self._regions, self._before)
        return [item for _, item in found if is_a(item, CONTAINERS)]

    def hold(self, value: object) -> bool:
        """Whether ``value`` was registered since."""
        return any(content.fresh for content in self._contents([], [value]))

    def exchange(self, log: UndoLog, made: object, living: object) -> None:
        """Puts ``living`` where ``made`` was registered, by itself, in a tuple or in a record: it took it over."""
        self._put(log, made, living, depth=2)
        for record in self._graph.held_by(made):
            inside = is_a(record, (FunctionType, type, ModuleType))  # wrappers around it have it for themselves
            attributes = {} if inside else instance_dict(record) or {}
            for name in [name for name, value in attributes.items() if value is made]:
                log.set_item(attributes, name, living)

    def _put(self, log: UndoLog, held: object, instead: object, depth: int) -> None:
        self._graph.look()
        places = self._graph.holders(self._graph.leading_to([held], depth - 1))
        for _, container in self._graph.objects(places, self._regions, self._before):
            if depth > 1 or can_hold(container):
                exchange(log, container, {id(held): instead}, depth)

    def _set_aside(self) -> list[object]:
        return [substitute for _, substitute in self._aside]

    def settle_statement(self, log: UndoLog, named: list[object], settled: Collection[int] = ()) -> list[Double]:
        """The same for a statement that ran again and read the objects ``named``, as the older one did.

        Other statements may have registered these too: an entry is taken for the older statement's only if there are
        as many of them as came now. Of containers whose identity is in ``settled`` the older one's were taken out.
        """
        doubles: list[Double] = []
        contents = [c for c in self._contents(named, named) if id(c.container) not in settled]
        moved = [content for content in contents if content.fresh]
        came = sum(len(content.fresh) for content in moved)
        there = [c for c in contents if c.old and (c.fresh or self._moved(c, moved))]
        if came and sum(len(content.old) for content in there) == came:
            for content in there:
                self._replace(log, content)
            contents = [content for content in contents if not content.old and not content.fresh]
        for content in contents:
            doubles += [Double(content.container, shown(entry)) for entry in content.grew]
        return doubles

    def _replace(self, log: UndoLog, content: _Content) -> None:
        _replace(log, content)
        drop_emptied(log, self._graph, content.container)

    def _contents(self, old: list[object], new: list[object]) -> list[_Content]:
        beyond = {id(root) for root in self._roots} - {id(item) for item in (*old, *new)}
        changed = self._graph.since(self._before)
        near = self._graph.leading_to(old, ENTRY_DEPTH, beyond)
        keys = {*changed, *self._graph.holders(near)}
        found: list[_Content] = []
        for key, container in self._graph.objects(keys, self._regions, self._before):
            copies = changed[key] if key in changed else self._graph.copies(key)
            for before in (substituted(content, self._aside) for held, content in copies if held is container):
                entries = _Entries(old, near, beyond | {key})
                if is_a(container, (list, deque)):
                    found.append(_of_list(container, before, entries, new))
                elif is_a(container, set):
                    found.append(_of_set(container, before, entries, new))
                elif is_a(container, dict) and not _is_record(before, entries):  # it goes as a whole
                    found.append(_of_mapping(container, before, entries, new))
        tables = [content for content in found if is_a(content.container, dict)]
        whole = {id(content.container[key]) for content in tables for key in content.old}
        return [c for c in found if (c.old or c.grew) and id(c.container) not in whole]

    def _moved(self, content: _Content, moved: list[_Content]) -> bool:
        """Whether an entry of the same make appeared elsewhere under the same registry."""
        kinds = content.kinds(content.old)
        tables = [m for m in moved if is_a(m.container, dict)]
        places = {id(m.container) for m in moved if kinds & m.kinds(m.fresh)}
        places |= {id(m.container[key]) for m in tables for key in m.fresh if is_a(m.container[key], CONTAINERS)}
        return any(id(content.container) in region and not places.isdisjoint(region) for region in self._regions)

    def _is_left(self, content: _Content) -> bool:
        """Whether only the old decorators lead to the container."""
        return self._lasting is not None and all(id(content.container) not in region for region in self._lasting)


@dataclass(frozen=True, slots=True)
class _Entries:
    """Tells which entries of a container are those of the older registration."""

    old: list[object]
    near: set[int]
    """All objects that can hold one of these, as the graph knows: it spares most entries a closer look."""
    beyond: set[int]

    def has(self, entry: object, depth: int = ENTRY_DEPTH) -> bool:
        """Whether an entry holds what was registered."""
        return id(entry) in self.near and holds(entry, self.old, depth, self.beyond)


def _of_list(items: Any, before: list[Any], entries: _Entries, new: list[object]) -> _Content:
    had = Counter(map(id, before))
    known: list[Any] = []
    grew: list[Any] = []
    for item in items:  # the same object can be appended again: it is what comes after the older ones
        (known if had[id(item)] > 0 else grew).append(item)
        had[id(item)] -= 1
    fresh = [item for item in grew if holds(item, new, beyond=entries.beyond)]
    return _Content(items, known, [item for item in known if entries.has(item)], fresh, grew)


def _of_set(members: Any, before: set[Any], entries: _Entries, new: list[object]) -> _Content:
    grew = [member for member in members if member not in before]
    stale = [member for member in before if entries.has(member) and member in members]
    return _Content(members, before, stale, [m for m in grew if holds(m, new, beyond=entries.beyond)], grew)


def _of_mapping(mapping: Any, before: dict[Any, Any], entries: _Entries, new: list[object]) -> _Content:
    """``old`` keys are those that were not written again."""
    fresh = [
        key
        for key, value in mapping.items()
        if before.get(key) is not value
        and (holds(value, new, beyond=entries.beyond) or holds(key, new, 2, entries.beyond))
    ]
    kinds = {type(mapping[key]) for key in fresh if is_a(mapping[key], CONTAINERS)}
    stale = [
        key
        for key, value in before.items()
        if mapping.get(key) is value and (entries.has(key, 2) or _is_entry(value, kinds, entries))
    ]
    return _Content(mapping, before, stale, fresh, [key for key in mapping if key not in before])


def _is_entry(value: Any, kinds: set[type], entries: _Entries) -> bool:
    """Whether a table's value is the old registration; a container is one if containers like it came with the new."""
    if id(value) not in entries.near:
        return False
    if not is_a(value, CONTAINERS) or _is_record(value, entries):
        return entries.has(value, 2)
    return type(value) in kinds and _all_hold(value, entries)


def _is_record(value: Any, entries: _Entries) -> bool:
    """Whether a mapping says of one function what it is registered as: it has plain values beside it."""
    if not is_a(value, dict):
        return False
    others = [part for part in value.values() if not (id(part) in entries.near and holds(part, entries.old, depth=1))]
    return 0 < len(others) < len(value) and all(is_plain(part) or part in ([], {}) for part in others)


def _all_hold(container: Any, entries: _Entries) -> bool:
    """Whether nothing but one function is in a container of a table, so that it came with it."""
    parts = list(container.values()) if is_a(container, dict) else list(container)
    return bool(parts) and all(id(part) in entries.near and holds(part, entries.old, depth=2) for part in parts)


def _replace(log: UndoLog, content: _Content) -> None:
    """Puts the fresh entries into the places of the old ones; fewer leave no gap, more come behind."""
    container = content.container
    if is_a(container, dict):
        _replace_keys(log, content)
    elif is_a(container, set):
        for member in content.old:
            log.do((container.discard, member), (container.add, member))
    else:
        queue, gone = list(content.fresh), {id(item) for item in content.old}
        result: list[Any] = []
        for item in content.before:
            if id(item) not in gone:
                result.append(item)
            elif queue:
                result.append(queue.pop(0))
        left = {id(item) for item in content.fresh} - {id(item) for item in queue}
        result += [item for item in content.grew if id(item) not in left]
        log.do((fill, container, result), (fill, container, list(container)))


def _replace_keys(log: UndoLog, content: _Content) -> None:
    mapping, order = content.container, list(content.before)
    for key, added in zip(content.old, (key for key in content.fresh if key not in content.before), strict=False):
        order[order.index(key)] = added
    for key in content.old:
        log.do((mapping.pop, key, None), (mapping.__setitem__, key, mapping[key]))
    log.do((reorder, mapping, order), (reorder, mapping, list(mapping)))

"""The objects that structure leads to from some roots, kept in step with a process that goes on changing them.

A large registry takes long to be walked, so that is done while staging. In the commit's pause every object that was met
is asked for what it refers to, many of them in one call into C: who refers to something else than at the last look is
walked again, and nothing else. The same tells what a statement has changed.

A container with very many entries (a cache, the sessions of all users) is state, and no registry: what it holds is not
walked, and whether it changed is not looked at. Comparing it would take longer than to copy it once; `large` does that.

It changes nothing, and runs no code of the app. Objects stay alive as long as the graph does.
"""

from __future__ import annotations

import builtins
import gc
import weakref
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import is_
from types import FunctionType, MethodType
from typing import Any

from habanero_receiver.swap.containers.entries import ENTRY_DEPTH, held
from habanero_receiver.swap.kinds import instance_dict, is_a, slot_content, slot_members
from habanero_receiver.swap.snapshot import Copy, copies_of, restore

from .live import MAX_DEPTH, MAX_OBJECTS, PLAIN, Structure

_BLOCK = 256
"""How many objects are looked at in one call."""
_FIXED = (tuple, frozenset, str, bytes, staticmethod, classmethod, property, MethodType, weakref.ref)
"""Kinds that hold the same objects as long as they live."""
LARGE = 10_000
"""How many entries make a container large."""
_SIZED = (list, tuple, dict, set, frozenset, deque)

_PLAIN = frozenset(map(id, PLAIN))
"""The commonest kinds, told quickly."""

Region = dict[int, int]
"""What some roots lead to: identities of objects, with how many steps away they are."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in the life of a graph."""

    changes: int
    objects: int


@dataclass(slots=True)
class _Block:
    """Some objects that can change, what they referred to at the last look, and whose content that tells."""

    watched: list[object] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    each: list[list[object]] = field(default_factory=list)
    flat: list[object] = field(default_factory=list)

    def add(self, item: object, owner: int) -> None:
        """Takes one more object in."""
        referents = gc.get_referents(item)
        self.watched.append(item)
        self.owners.append(owner)
        self.each.append(referents)
        self.flat += referents

    def look(self) -> list[int]:
        """Those that refer to something else now, by the identities of their owners."""
        now = gc.get_referents(*self.watched)
        if len(now) == len(self.flat) and all(map(is_, now, self.flat)):
            return []
        changed: list[int] = []
        for index, (item, before) in enumerate(zip(self.watched, self.each, strict=True)):
            after = gc.get_referents(item)
            if len(after) != len(before) or not all(map(is_, after, before)):
                self.each[index] = after
                changed.append(self.owners[index])
        self.flat = [referent for referents in self.each for referent in referents]
        return changed


class Graph:
    """Objects of the process by identity: what leads to what, and what has changed since some moment.

    Classes are entered that ``own_modules`` define.
    """

    def __init__(self, own_modules: frozenset[str]) -> None:
        self._own_modules = own_modules
        self._structure = Structure(own_modules)
        self._objects: dict[int, tuple[int, object]] = {}
        self._children: dict[int, list[object]] = {}
        self._parents: dict[int, list[int]] = defaultdict(list)
        self._copies: dict[int, list[Copy]] = {}
        self._regions: dict[tuple[int, ...], Region] = {}
        self._roots: list[object] = []
        self._blocks: list[_Block] = []
        self._large: dict[int, object] = {}
        self._changes: list[tuple[int, list[Copy]]] = []

    def region(self, roots: Sequence[object]) -> Region:
        """What ``roots`` lead to, from now on kept in step. It costs a walk if these roots are new here."""
        key = tuple(map(id, roots))
        if key not in self._regions:
            self._roots += roots
            self._regions[key] = {}
            self._walk(self._regions[key], roots, 0)
        return self._regions[key]

    def look(self) -> None:
        """Takes in what has changed."""
        changed = dict.fromkeys(key for block in self._blocks for key in block.look())
        for key in changed:
            item = self._objects[key][1]
            self._changes.append((key, self._copies[key]))
            self._take_in(key, item)
        for key in changed:
            for region in self._regions.values():
                if (depth := region.get(key)) is not None:
                    self._walk(region, self._children[key], depth + 1)

    def mark(self) -> Mark:
        """This moment, to be asked later for what changed `since`; it takes in what has changed until now."""
        self.look()
        return Mark(len(self._changes), len(self._objects))

    def since(self, mark: Mark) -> dict[int, list[Copy]]:
        """Which of the objects that were known then have changed, and what they held."""
        self.look()
        found: dict[int, list[Copy]] = {}
        for key, copies in self._changes[mark.changes :]:
            if self._objects[key][0] < mark.objects:
                found.setdefault(key, copies)
        return found

    def restore(self, mark: Mark, regions: Sequence[Region]) -> None:
        """Gives all in these regions what it held then. Objects that were not known then are left alone."""
        for key, copies in self.since(mark).items():
            if any(key in region for region in regions):
                restore(copies)

    def large(self, region: Region) -> list[Copy]:
        """Copies, made now, of the large containers in a region."""
        items = [item for key, item in self._large.items() if key in region]
        return [copy for item in items for copy in copies_of(item, self._own_modules)]

    def copies(self, key: int) -> list[Copy]:
        """What an object held at the last look; nothing of a large container."""
        return self._copies.get(key, [])

    def copies_at(self, mark: Mark, item: object) -> list[Copy]:
        """Copies of what an object held then, or when it was met, if that was later."""
        key = id(item)
        changes = (copies for changed, copies in self._changes[mark.changes :] if changed == key)
        return next(changes, self.copies(key))

    def leading_to(self, targets: Iterable[object], depth: int, beyond: Collection[int] = ()) -> set[int]:
        """The objects that may hold one of ``targets`` up to ``depth`` steps down, these themselves included.

        Objects whose identity is in ``beyond`` are not passed. All that did at the last look are found; those that did
        before may be too.
        """
        level = {id(target) for target in targets}
        found = set(level)
        for _ in range(depth):
            level = {up for item in level for up in self._parents.get(item, ()) if up not in beyond} - found
            found |= level
        return found

    def knew(self, item: object, mark: Mark) -> bool:
        """Whether an object had been met at some moment."""
        return id(item) in self._objects and self._objects[id(item)][0] < mark.objects

    def holders(self, items: Iterable[int]) -> set[int]:
        """The objects that directly hold one of these, those that did before included."""
        return {up for item in items for up in self._parents.get(item, ())}

    def held_by(self, item: object) -> list[Any]:
        """The objects that directly hold this one, or did at some look."""
        return [self._objects[key][1] for key in self.holders([id(item)]) if key in self._objects]

    def objects(self, keys: Iterable[int], regions: Sequence[Region], mark: Mark) -> list[tuple[int, Any]]:
        """Those of some identities that were known then and are in a region, in the order in which they were met."""
        inside = (key for key in keys if any(key in region for region in regions))
        found = sorted((place, key) for key in inside if (place := self._objects[key][0]) < mark.objects)
        return [(key, self._objects[key][1]) for _, key in found]

    def _walk(self, region: Region, items: Iterable[object], depth: int) -> None:
        level: list[object] = list(items)
        for steps in range(depth, MAX_DEPTH):
            below: list[object] = []
            for item in level:
                key = id(item)
                if key in region or is_a(item, PLAIN) or item is vars(builtins):
                    continue
                if len(region) >= MAX_OBJECTS:
                    return
                region[key] = steps
                if key not in self._objects:
                    self._meet(key, item)
                below.extend(self._children[key])
            level = below

    def _meet(self, key: int, item: Any) -> None:
        """Takes in an object. What it refers to is noted first: what changes from then on is found at the next look."""
        self._objects[key] = (len(self._objects), item)
        if _size(item) > LARGE:
            self._large[key], self._children[key] = item, []
            return
        for part in self._changing(item):
            if not self._blocks or len(self._blocks[-1].watched) == _BLOCK:
                self._blocks.append(_Block())
            self._blocks[-1].add(part, key)
        self._take_in(key, item)

    def _changing(self, item: Any) -> Iterator[object]:
        """What refers to an object's parts: itself or its attributes' dictionary, cells, the namespace of a class."""
        if is_a(item, type):
            if item.__module__ in self._own_modules:
                yield from gc.get_referents(item.__dict__)
            return
        if is_a(item, FunctionType):
            yield from item.__closure__ or ()
        if (held := instance_dict(item)) is not None:  # since 3.13 the object itself can refer to what is in it
            yield held
        if held is not None or not is_a(item, _FIXED):
            yield item

    def _take_in(self, key: int, item: Any) -> None:
        self._copies[key] = copies_of(item, self._own_modules)
        before = set(map(id, self._children.get(key, ())))
        parts = (part for part in self._structure.parts(item) if id(type(part)) not in _PLAIN)
        children = self._children[key] = [part for part in parts if not is_a(part, PLAIN)]
        for child in {*map(id, children)} - before:
            self._parents[child].append(key)
        for spoken in _out_of_sight(item):
            self._parents[id(spoken)].append(key)


def _out_of_sight(item: Any) -> list[object]:
    """What an object leads to by way of its slots, or speaks of by a weak reference, and is not walked."""
    level: list[object] = []
    if is_a(item, weakref.ref):
        level = [item()]
    elif members := slot_members(type(item)):
        level = [value for member in members for value in slot_content(member, item)]
    found: list[object] = []
    for _ in range(ENTRY_DEPTH):
        found += level
        level = [part for inner in level if not is_a(inner, PLAIN) for part in held(inner)]
    return [inner for inner in found if not is_a(inner, PLAIN)]


def _size(item: Any) -> int:
    """How many entries a container has, whatever its class says; 0 for anything else."""
    if not is_a(item, _SIZED):
        return 0
    kind: Any = next(kind for kind in _SIZED if is_a(item, kind))
    return int(kind.__len__(item))

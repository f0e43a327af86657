"""Tells which of the things that a swap's report names as stale do differ from the fresh process's. Pure.

`compare` asks the other way round: whether what differs is named. A name without a difference is a false alarm, or a
difference that only the next call would show. Code does not count: functions and classes follow, whoever holds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from oracle.kept import written
from oracle.nodes import name_of
from oracle.snapshot import Graph, Node
from oracle.stale import bindings
from oracle.units import Path

Entry = tuple[str, str]
"""A module, and what its report names as stale."""
_NAMED = ("module", "class", "function", "outside", "leaf")


def differing(live: Graph, fresh: Graph, entries: Iterable[Entry]) -> set[Entry]:
    """Those entries under which the two processes hold something else, however far down."""
    return {entry for entry in entries if any(_differ(live, fresh, path) for path in bindings(*entry))}


def _differ(live: Graph, fresh: Graph, path: Path) -> bool:
    if not path[1].startswith("."):  # a function made inside another, wherever it is held
        return any(written(node) == path for node in live.nodes if node.kind == "function")
    mine, theirs = _follow(live, path), _follow(fresh, path)
    if mine is None or theirs is None:
        return mine is not theirs
    waiting, seen = [(mine, theirs)], set()
    while waiting:
        pair = waiting.pop()
        if pair in seen:
            continue
        seen.add(pair)
        one, other = live.nodes[pair[0]], fresh.nodes[pair[1]]
        if not _alike(one, other):
            return True
        if one.kind not in _NAMED:
            if one.edges.keys() != other.edges.keys():
                return True
            waiting.extend((index, other.edges[label]) for label, index in one.edges.items())
    return False


def _alike(one: Node, other: Node) -> bool:
    if one.kind != other.kind:
        return False
    return name_of(one) == name_of(other) if one.kind in _NAMED else one.data == other.data


def _follow(graph: Graph, path: Path) -> int | None:
    index = graph.roots.get(path[0])
    for label in path[1:]:
        index = None if index is None else graph.nodes[index].edges.get(label)
    return index


def unjudged(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Those that name nothing that can be looked up."""
    return (entry for entry in entries if not any(bindings(*entry)))

"""Finds what a refusal changed, and old code that is still held after a swap. Pure: it looks at snapshots alone."""

from __future__ import annotations

from oracle.difference import Difference
from oracle.kept import written
from oracle.nodes import name_of, same_object, shown
from oracle.snapshot import Graph
from oracle.units import Path


def unchanged(before: Graph, after: Graph) -> list[Difference]:
    """Finds where a process is not what it was; the very same objects must be in the very same places."""
    found: list[Difference] = []
    then, now = before.by_identity(), after.by_identity()
    for name in sorted(before.roots.keys() ^ after.roots.keys()):
        found.append(Difference((name,), "module", str(name in after.roots), str(name in before.roots)))
    for identity, index in then.items():
        if identity not in now:
            continue  # no place holds it: the place that did is found to differ
        old, new = before.nodes[index], after.nodes[now[identity]]
        where = name_of(old)
        found.extend(
            Difference((where,), name, str(new.data.get(name)), str(value))
            for name, value in old.data.items()
            if new.data.get(name) != value
        )
        if list(old.edges) != list(new.edges):
            found.append(Difference((where,), "entries", str(list(new.edges)), str(list(old.edges))))
        found.extend(
            Difference((where, label), "value", shown(after, new.edges[label]), shown(before, old.edges[label]))
            for label in old.edges.keys() & new.edges.keys()
            if not same_object(before.nodes[old.edges[label]], after.nodes[new.edges[label]])
        )
    return found


def old_code(live: Graph, codes: set[tuple[object, ...]], stale: frozenset[Path] = frozenset()) -> list[Difference]:
    """Finds functions, wherever they are held, whose code the new sources have in another form only, but ``stale``."""
    named = {(code[0], code[1]) for code in codes}
    found = []
    for node in live.nodes:
        if node.kind != "function" or not isinstance(home := node.data["home"], tuple):
            continue
        key = code_key(node.data)
        if key[:2] in named and key not in codes and written(node) not in stale:
            newer = [code[2] for code in codes if code[:2] == key[:2]]
            found.append(Difference((f"{home[0]}.{home[1]}",), "old code is still held", str(key[2]), str(newer)))
    return found


def code_key(data: dict[str, object]) -> tuple[object, ...]:
    """What tells one function's code from another's: file and qualified name first."""
    return (data["co_filename"], data["co_qualname"], data["co_firstlineno"], data["co_code"], str(data["co_consts"]))

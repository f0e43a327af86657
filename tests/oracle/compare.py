"""Compares a swapped process with a fresh one that imported the new sources. Pure: it looks at snapshots and sources.

They must be equal in all but *kept state*. A place of the live process may differ from the fresh one's only if it is
what it was before the swap, the statement that defines it did not change, and either

* *used*: the app's own work changed it after the import (it differs from what the import left there); or
* *computed*: it lies in a mutable object, or in the cell of a closure, that was computed from something that changed
  (its statement reads what changed, or it is of a class that changed); or
* *stale*: the swap's report names that very binding as stale. That is no equality: `judge` counts it apart.

And what was used may not differ from what it was before, even if it is what the fresh process has: that is state lost.
A class that is a statement of both versions must be the same object before and after.
A place that is or holds a function or class of the app is never excused as computed, and as stale only where the report
names the very binding that it lies in: what was registered must be registered. (The object that lacks it may be one
that the swap made: a decorator would register with that now, and is not asked again.) A function made inside another
may be what it was where the report names it, as it is written, and a class that a call made where it names what is
bound to that; which function's cells those are that a stale object leads to follows from which functions it holds.
Wherever they differ otherwise, in names, code, constants, defaults, order of entries, or in what is the same object as
what, it is a `Difference`. After a refusal, nothing at all may differ from before, identities included: `unchanged`.

Left out, with the reason: whether equal immutable values, tuples, methods and objects of libraries' own classes are one
object or two (the interpreter and the libraries choose, through caches); whether functions share the cell of their
class or of a type parameter (nothing writes to it); a subclass that is still alive because kept objects are of it, if
the new sources have no such class, or if the app's own work made it; how many results a cache holds; the order of a
union's parts. What the snapshot leaves out is listed there.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from oracle.difference import Difference, Moment, Verdict
from oracle.history import Use, content
from oracle.kept import MUTABLE, STALE, Kept
from oracle.nodes import class_of, has_identity, holds_code, path_text, same_object, shown, sign
from oracle.snapshot import Graph, Node
from oracle.units import Edit, Path

_ABSENT = "<absent>"
_UNIONS = ("typing._UnionGenericAlias", "types.UnionType", "typing.Union")
_CACHES = (
    "(cached)", "->openapi_schema", "->_openapi_routes_version", "->_effective_candidates_version",
    "->middleware_stack",
)  # fmt: skip
"""What may be emptied although its statement did not change: what it was computed by did. The latter are FastAPI's."""
_COUNTERS = ("->_routes_version",)
"""What FastAPI counts its changes by."""


@dataclass(frozen=True, slots=True)
class _Pair:
    path: Path
    live: int
    fresh: int
    parent: int
    """The live node that holds it; -1 for a module."""
    label: str
    trail: tuple[int, ...]
    """The live nodes on the way, from the last one that is a module, class or function."""


def compare(
    live: Graph,
    fresh: Graph,
    uses: list[Moment],
    edit: Edit,
    stale: frozenset[Path],
    earlier: Mapping[Path, str] | None = None,
) -> Verdict:
    """Finds where ``live`` is neither what ``fresh`` is nor kept.

    ``stale`` are the bindings that the report calls so, ``earlier`` the places that swaps before this one kept as
    computed or stale, with the reason.
    """
    known = [Use(moment) for moment in uses]
    return _Comparison(live, fresh, Kept(live, edit, known, stale, earlier or {})).run()


class _Comparison:
    def __init__(self, live: Graph, fresh: Graph, kept: Kept) -> None:
        self.live, self.fresh, self.kept, self.edit, self.last = live, fresh, kept, kept.edit, kept.uses[-1]
        self.classes = {n.data["home"]: n.identity for n in self.last.after.graph.nodes if n.kind == "class"}
        self.verdict = Verdict()
        self.seen: set[tuple[int, int]] = set()
        self.of_live: dict[int, tuple[int, _Pair]] = {}
        self.of_fresh: dict[int, tuple[int, _Pair]] = {}
        self.waiting: deque[_Pair] = deque()

    def run(self) -> Verdict:
        for name in sorted(self.live.roots.keys() | self.fresh.roots.keys()):
            if name not in self.fresh.roots:
                uses = [(use.before.graph.roots, use.after.graph.roots) for use in self.kept.uses]
                if not any(name in after and name not in before for before, after in uses):
                    self.differ((name,), "module", "imported", _ABSENT)
            elif name not in self.live.roots:
                self.differ((name,), "module", _ABSENT, "imported")
            else:
                self.waiting.append(_Pair((name,), self.live.roots[name], self.fresh.roots[name], -1, "", ()))
        while self.waiting:
            self.pair(self.waiting.popleft())
        return self.verdict

    def differ(self, path: Path, what: str, live: object, fresh: object) -> None:
        if self.kept.made(self.live, path[:2]):
            self.verdict.kept.append((path[:2], STALE))
        else:
            self.verdict.differences.append(Difference(path, what, str(live), str(fresh)))

    # ---- two nodes

    def pair(self, pair: _Pair) -> None:
        live, fresh = self.live.nodes[pair.live], self.fresh.nodes[pair.fresh]
        if (pair.live, pair.fresh) in self.seen and live.kind != "plain":
            return
        self.seen.add((pair.live, pair.fresh))
        path = self.path(pair, live)
        if self.kept.closure(live, pair.path):
            self.verdict.kept.append((pair.path, STALE))
            return
        if not self.alike(live, fresh, pair):
            reason = self.excuse(pair, live, fresh)
            if reason:
                self.verdict.kept.append((pair.path, reason))
            else:
                self.differ(pair.path, "value", shown(self.live, pair.live), shown(self.fresh, pair.fresh))
            return
        if has_identity(self.live, live) and not self.constant_cell(pair, live):
            self.one_to_one(pair)
        self.data(path, pair, live, fresh)
        self.edges(path, pair, live, fresh)
        self.lost(path, live)
        if live.kind == "class" and self.edit.both_classes(path):
            before = self.classes.get(live.data["home"], live.identity)
            if before != live.identity:
                self.differ(path, "another class", "an object made by the swap", "the class that was there")

    def constant_cell(self, pair: _Pair, live: Node) -> bool:
        """Whether it is a cell that nothing writes to: of a method's class, or of a type parameter."""
        content = live.edges.get("(content)") if live.kind == "cell" else None
        kind = "" if content is None else self.live.nodes[content].data.get("type")
        return pair.label == "(closure __class__)" or kind in ("TypeVar", "TypeVarTuple", "ParamSpec")

    def path(self, pair: _Pair, live: Node) -> Path:
        """Where a function or class has its home, whichever way it was reached."""
        home = live.data.get("home")
        if live.kind not in ("function", "class") or not isinstance(home, tuple) or "<" in home[1]:
            return pair.path
        return (str(home[0]), *(f".{part}" for part in home[1].split(".")))

    def alike(self, live: Node, fresh: Node, pair: _Pair) -> bool:
        """Whether two nodes are the same thing, so that it makes sense to compare what they hold."""
        if live.kind != fresh.kind:
            return False
        if live.kind == "outside":
            return bool(live.data["names"] & fresh.data["names"])  # type: ignore[operator]
        if live.kind in ("plain", "leaf"):
            return live.data == fresh.data
        if live.kind in ("class", "function"):
            return live.data["home"] == fresh.data["home"]
        return class_of(self.live, live) == class_of(self.fresh, fresh)

    def one_to_one(self, pair: _Pair) -> None:
        partner, first = self.of_live.setdefault(pair.live, (pair.fresh, pair))
        other, earlier = self.of_fresh.setdefault(pair.fresh, (pair.live, pair))
        if partner == pair.fresh and other == pair.live:
            return
        before = first if partner != pair.fresh else earlier
        # Either of the two places may be what is kept: which one is met first is an accident of the walk.
        nodes = ((at, self.live.nodes[at.live], self.fresh.nodes[at.fresh]) for at in (pair, before))
        reason = next(filter(None, (self.excuse(*place) or self.other_closure(*place) for place in nodes)), "")
        if reason:
            self.verdict.kept.append((pair.path, reason))
        elif partner != pair.fresh:
            self.differ(pair.path, "identity", f"the same object as {path_text(first.path)}", "another object")
        else:
            self.differ(pair.path, "identity", "another object", f"the same object as {path_text(earlier.path)}")

    def data(self, path: Path, pair: _Pair, live: Node, fresh: Node) -> None:
        if live.kind == "outside":
            return
        for name in sorted(live.data.keys() | fresh.data.keys()):
            mine, theirs = live.data.get(name, _ABSENT), fresh.data.get(name, _ABSENT)
            if mine == theirs or (name == "subclasses" and self.only_removed(self.last.not_added(live, mine), theirs)):
                continue
            reason = self.excuse(pair, live, fresh) if live.kind in MUTABLE else ""
            if reason:
                self.verdict.kept.append((path, reason))
            else:
                self.differ(path, name, mine, theirs)

    def only_removed(self, live: object, fresh: object) -> bool:
        extra = Counter(live) - Counter(fresh)  # type: ignore[call-overload]
        gone = all(any(n.startswith(f"{m}.") and self.edit.removed(m, n[len(m) + 1 :]) for m in self.live.roots)
                   for n in extra)  # fmt: skip
        return gone and not Counter(fresh) - Counter(live)  # type: ignore[call-overload]

    # ---- what they hold

    def edges(self, path: Path, pair: _Pair, live: Node, fresh: Node) -> None:
        inner = live.kind in ("module", "class", "function")
        trail = () if inner else (*pair.trail, pair.live)
        if live.sequence:
            self.sequence(path, pair, live, fresh, trail)
            return
        for label in (live.edges.keys() | fresh.edges.keys()) - {*_COUNTERS}:
            here = (*path, label)
            if label not in fresh.edges:
                self.extra(here, pair, live, live.edges[label], label, trail)
            elif label not in live.edges:
                self.missing(here, pair, live, fresh.edges[label], label, trail)
            else:
                self.waiting.append(_Pair(here, live.edges[label], fresh.edges[label], pair.live, label, trail))
        common = [label for label in live.edges if label in fresh.edges]
        if live.ordered and common != [label for label in fresh.edges if label in live.edges]:
            self.order(path, pair, common, [label for label in fresh.edges if label in live.edges])

    def sequence(self, path: Path, pair: _Pair, live: Node, fresh: Node, trail: tuple[int, ...]) -> None:
        """Entries are matched by what they are, so that one that is missing does not make all others differ."""
        items = [label for label in live.edges if label.startswith("[")]
        others = [label for label in fresh.edges if label.startswith("[")]
        mine = [sign(self.live, live.edges[label]) for label in items]
        theirs = [sign(self.fresh, fresh.edges[label]) for label in others]
        if len(mine) == len(theirs) and [s[0] for s in mine] == [s[0] for s in theirs] and mine != theirs \
                and Counter(mine) != Counter(theirs):  # fmt: skip
            theirs = mine  # entry by entry: the values differ, not the shape
        if mine != theirs and Counter(mine) == Counter(theirs):
            self.order(path, pair, [str(s) for s in mine], [str(s) for s in theirs])
            left = list(zip(theirs, others, strict=True))
            for own, label in zip(mine, items, strict=True):
                found = next(entry for entry in left if entry[0] == own)
                left.remove(found)
                self.waiting.append(
                    _Pair((*path, label), live.edges[label], fresh.edges[found[1]], pair.live, label, trail)
                )
        else:
            for tag, a, b, c, d in SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes():
                if tag == "equal":
                    for label, other in zip(items[a:b], others[c:d], strict=True):
                        entry = _Pair((*path, label), live.edges[label], fresh.edges[other], pair.live, label, trail)
                        self.waiting.append(entry)
                    continue
                for label in items[a:b]:
                    self.extra((*path, label), pair, live, live.edges[label], label, trail)
                for label in others[c:d]:
                    self.missing((*path, label), pair, live, fresh.edges[label], label, trail)
        for label in live.edges.keys() & fresh.edges.keys():
            if not label.startswith("["):
                entry = _Pair((*path, label), live.edges[label], fresh.edges[label], pair.live, label, trail)
                self.waiting.append(entry)

    def lost(self, path: Path, live: Node) -> None:
        """What the app's use left here must still be here, if the statement that defines it did not change."""
        was, now = self.last.before.node(live), self.last.after.node(live)
        if was is None or now is None:
            return
        after = self.last.after.graph
        for label in now.edges if not now.sequence else ():
            here = (*path, label)
            index = live.edges.get(label)
            kept = index is not None and same_object(self.live.nodes[index], after.nodes[now.edges[label]])
            if not kept and label not in _CACHES and self.last.touched(live, label) and self.edit.same(here):
                held = _ABSENT if index is None else shown(self.live, index)
                self.differ(here, "lost", held, shown(after, now.edges[label]))
        if now.sequence and self.edit.same(path):
            added = content(after, now) - content(self.last.before.graph, was)
            if added - content(self.live, live):
                self.differ(path, "lost", content(self.live, live), added)

    def extra(self, path: Path, pair: _Pair, parent: Node, child: int, label: str, trail: tuple[int, ...]) -> None:
        """Something that the fresh process does not have."""
        as_before = self.kept.had(parent, self.live, child, label)
        used = as_before and self.kept.added(parent, child, label)
        code = holds_code(self.live, child)
        reason = self.kept.entry(path, parent, trail, as_before=as_before, used=used, code=code)
        self.settle(path, parent, reason, shown(self.live, child), _ABSENT)

    def missing(self, path: Path, pair: _Pair, parent: Node, child: int, label: str, trail: tuple[int, ...]) -> None:
        """Something that the live process does not have."""
        as_before = self.kept.lacked(parent, self.fresh, child, label)
        used = as_before and self.kept.dropped(parent, self.fresh, child, label)
        code = holds_code(self.fresh, child)
        reason = self.kept.entry(path, parent, trail, as_before=as_before, used=used, code=code)
        self.settle(path, parent, reason, _ABSENT, shown(self.fresh, child))

    def settle(self, path: Path, parent: Node, reason: str, *texts: str) -> None:
        if reason:
            self.verdict.kept.append((path, reason))
        else:
            self.differ(path, "entry" if parent.kind in MUTABLE else "name", *texts)

    def order(self, path: Path, pair: _Pair, mine: list[str], theirs: list[str]) -> None:
        if path[-1] == "->__args__" and class_of(self.live, self.live.nodes[pair.parent]) in _UNIONS:
            return  # equal, and made once: which order it was written in first is the interpreter's memory
        self.differ(path, "order", mine, theirs)

    def excuse(self, pair: _Pair, live: Node, fresh: Node) -> str:
        """Why a place may hold another value than in the fresh process; empty if it may not."""
        if pair.parent < 0:
            return ""
        code = live.kind in ("function", "class") or fresh.kind in ("function", "class")
        parent = self.live.nodes[pair.parent]
        return self.kept.value(pair.path, parent, pair.live, pair.label, pair.trail, code=code)

    def other_closure(self, pair: _Pair, live: Node, fresh: Node) -> str:
        """Why a cell may be another one than in the fresh process: a stale object holds its closure, not the new one.

        What is in the cell is compared all the same.
        """
        if pair.parent < 0 or live.kind != "cell" or fresh.kind != "cell":
            return ""
        return self.kept.within(pair.path, self.live.nodes[pair.parent], pair.live, pair.label)

"""Compares a swapped process with a fresh one that imported the new sources. Pure: it looks at snapshots and sources.

They must be equal in all but *kept state*. A place of the live process may differ from the fresh one's only if it is
what it was before the swap, the statement that defines it did not change, and either

* *used*: the app's own work changed it after the import (it differs from what the import left there); or
* *computed*: it lies in a mutable object, or in the cell of a closure, that was computed from something that changed
  (its statement reads what changed, it is of a class that changed, or the swap's report names it as stale).

And what was used may not differ from what it was before, even if it is what the fresh process has: that is state lost.
A class that is a statement of both versions must be the same object before and after.
An entry that is, or holds, a function of the app is never excused as computed: what was registered must be registered.
Wherever they differ otherwise, in names, code, constants, defaults, order of entries, or in what is the same object as
what, it is a `Difference`. After a refusal, nothing at all may differ from before, identities included: `unchanged`.

Left out, with the reason: whether equal immutable values, tuples, methods and objects of libraries' own classes are one
object or two (the interpreter and the libraries choose, through caches); whether the methods of a class share the cell
that holds it (nothing writes to it); a subclass that is still alive because kept objects are of it, if the new sources
have no such class; how many results a cache holds. What the snapshot leaves out is listed there.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from oracle.snapshot import Graph, Node
from oracle.units import Edit, Path

_MUTABLE_PARENTS = ("container", "instance", "cell", "weak", "method")
_ABSENT = "<absent>"
_CACHES = ("(cached)",)
"""What may be emptied although its statement did not change: what it was computed by did."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the live process is not what it should be."""

    path: Path
    what: str
    live: str
    fresh: str

    def __str__(self) -> str:
        return f"{self.path[0]}{''.join(self.path[1:])}: {self.what}: {self.live[:200]} instead of {self.fresh[:200]}"


@dataclass(frozen=True, slots=True)
class Moment:
    """A use of the app: the process before and after it."""

    before: Graph
    after: Graph


@dataclass(slots=True)
class Verdict:
    """What a comparison found."""

    differences: list[Difference] = field(default_factory=list)
    kept: list[tuple[Path, str]] = field(default_factory=list)
    """Places that differ and may, each with the reason: used or computed."""


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
    stale: set[tuple[str, str]],
    earlier: frozenset[Path] = frozenset(),
) -> Verdict:
    """Finds where ``live`` is neither what ``fresh`` is nor kept.

    ``stale`` are the names that the report calls so, ``earlier`` the places that swaps before this one kept as
    computed.
    """
    return _Comparison(live, fresh, uses, edit, stale, earlier).run()


class _Comparison:
    def __init__(
        self,
        live: Graph,
        fresh: Graph,
        uses: list[Moment],
        edit: Edit,
        stale: set[tuple[str, str]],
        earlier: frozenset[Path],
    ) -> None:
        self.live, self.fresh, self.edit, self.stale, self.earlier = live, fresh, edit, stale, earlier
        self.uses = [(u.before, u.before.by_identity(), u.after, u.after.by_identity()) for u in uses]
        self.classes = {n.data["home"]: n.identity for n in uses[-1].after.nodes if n.kind == "class"}
        self.verdict = Verdict()
        self.seen: set[tuple[int, int]] = set()
        self.of_live: dict[int, tuple[int, Path]] = {}
        self.of_fresh: dict[int, tuple[int, Path]] = {}
        self.waiting: deque[_Pair] = deque()

    def run(self) -> Verdict:
        for name in sorted(self.live.roots.keys() | self.fresh.roots.keys()):
            if name not in self.fresh.roots:
                if not any(name in after.roots and name not in before.roots for before, _, after, _ in self.uses):
                    self.differ((name,), "module", "imported", _ABSENT)
            elif name not in self.live.roots:
                self.differ((name,), "module", _ABSENT, "imported")
            else:
                self.waiting.append(_Pair((name,), self.live.roots[name], self.fresh.roots[name], -1, "", ()))
        while self.waiting:
            self.pair(self.waiting.popleft())
        return self.verdict

    def differ(self, path: Path, what: str, live: object, fresh: object) -> None:
        self.verdict.differences.append(Difference(path, what, str(live), str(fresh)))

    # ---- two nodes

    def pair(self, pair: _Pair) -> None:
        live, fresh = self.live.nodes[pair.live], self.fresh.nodes[pair.fresh]
        if (pair.live, pair.fresh) in self.seen and live.kind != "plain":
            return
        self.seen.add((pair.live, pair.fresh))
        path = self.path(pair, live)
        if not self.alike(live, fresh, pair):
            reason = self.excuse(pair, live, fresh)
            if reason:
                self.verdict.kept.append((pair.path, reason))
            else:
                self.differ(pair.path, "value", _text(self.live, pair.live), _text(self.fresh, pair.fresh))
            return
        if _has_identity(self.live, live) and pair.label != "(closure __class__)":
            self.one_to_one(pair)
        self.data(path, pair, live, fresh)
        self.edges(path, pair, live, fresh)
        self.lost(path, live)
        if live.kind == "class" and self.edit.both_classes(path):
            before = self.classes.get(live.data["home"], live.identity)
            if before != live.identity:
                self.differ(path, "another class", "an object made by the swap", "the class that was there")

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
        return _class_of(self.live, live) == _class_of(self.fresh, fresh)

    def one_to_one(self, pair: _Pair) -> None:
        partner, first = self.of_live.setdefault(pair.live, (pair.fresh, pair.path))
        other, earlier = self.of_fresh.setdefault(pair.fresh, (pair.live, pair.path))
        if partner == pair.fresh and other == pair.live:
            return
        reason = self.excuse(pair, self.live.nodes[pair.live], self.fresh.nodes[pair.fresh])
        if reason:
            self.verdict.kept.append((pair.path, reason))
        elif partner != pair.fresh:
            self.differ(pair.path, "identity", f"the same object as {_path(first)}", "another object")
        else:
            self.differ(pair.path, "identity", "another object", f"the same object as {_path(earlier)}")

    def data(self, path: Path, pair: _Pair, live: Node, fresh: Node) -> None:
        if live.kind == "outside":
            return
        for name in sorted(live.data.keys() | fresh.data.keys()):
            mine, theirs = live.data.get(name, _ABSENT), fresh.data.get(name, _ABSENT)
            if mine == theirs or (name == "subclasses" and self.only_removed(mine, theirs)):
                continue
            reason = self.excuse(pair, live, fresh) if live.kind in _MUTABLE_PARENTS else ""
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
        for label in live.edges.keys() | fresh.edges.keys():
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
        mine = [_sign(self.live, live.edges[label]) for label in items]
        theirs = [_sign(self.fresh, fresh.edges[label]) for label in others]
        if len(mine) == len(theirs) and [s[0] for s in mine] == [s[0] for s in theirs] and mine != theirs \
                and Counter(mine) != Counter(theirs):  # fmt: skip
            theirs = mine  # entry by entry: the values differ, not the shape
        if mine != theirs and Counter(mine) == Counter(theirs):
            self.order(path, pair, [str(s) for s in mine], [str(s) for s in theirs])
            left = list(zip(theirs, others, strict=True))
            for sign, label in zip(mine, items, strict=True):
                found = next(entry for entry in left if entry[0] == sign)
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
        before, old, after, known = self.uses[-1]
        if live.identity not in old or live.identity not in known:
            return
        was, now = before.nodes[old[live.identity]], after.nodes[known[live.identity]]
        for label in now.edges if not now.sequence else ():
            here = (*path, label)
            index = live.edges.get(label)
            kept = index is not None and _same_object(self.live.nodes[index], after.nodes[now.edges[label]])
            if not kept and label not in _CACHES and self._touched(self.uses[-1], live, label) and self.edit.same(here):
                held = _ABSENT if index is None else _text(self.live, index)
                self.differ(here, "lost", held, _text(after, now.edges[label]))
        if now.sequence and self.edit.same(path):
            held = Counter(_mark(self.live, i) for i in live.edges.values())
            added = Counter(_mark(after, i) for i in now.edges.values()) - Counter(
                _mark(before, i) for i in was.edges.values()
            )
            if added - held:
                self.differ(path, "lost", held, added)

    def extra(self, path: Path, pair: _Pair, parent: Node, child: int, label: str, trail: tuple[int, ...]) -> None:
        """Something that the fresh process does not have."""
        was_there = self.had(parent, self.live, child, label)
        added = was_there and any(
            self._has(after, known, parent, self.live, child, label)
            and not self._has(before, old, parent, self.live, child, label)
            for before, old, after, known in self.uses
        )
        self.settle(path, parent, was_there, added, _holds_code(self.live, child), trail,
                    _text(self.live, child), _ABSENT)  # fmt: skip

    def missing(self, path: Path, pair: _Pair, parent: Node, child: int, label: str, trail: tuple[int, ...]) -> None:
        """Something that the live process does not have."""
        text = _text(self.fresh, child)
        if parent.sequence:  # entries have no name to be missed by
            as_before = self._holds(self.uses[-1][2:], parent) == self._marks(self.live, parent)
            dropped = any(self._holds(use[:2], parent) != self._holds(use[2:], parent) for use in self.uses)
        else:
            as_before = not self.had(parent, self.fresh, child, label)
            dropped = any(
                self._has(before, old, parent, self.fresh, child, label)
                and not self._has(after, known, parent, self.fresh, child, label)
                for before, old, after, known in self.uses
            )
        self.settle(
            path, parent, as_before, as_before and dropped, _holds_code(self.fresh, child), trail, _ABSENT, text
        )

    def _holds(self, then: tuple[Graph, dict[int, int]], parent: Node) -> Counter[object] | None:
        """What the object ``parent`` held at that moment."""
        graph, known = then
        index = known.get(parent.identity)
        return None if index is None else self._marks(graph, graph.nodes[index])

    def _marks(self, graph: Graph, node: Node) -> Counter[object]:
        return Counter(_mark(graph, index) for index in node.edges.values())

    def settle(
        self, path: Path, parent: Node, as_before: bool, used: bool, code: bool, trail: tuple[int, ...], *texts: str
    ) -> None:
        if as_before and used and (self.edit.same(path) or parent.kind == "module"):
            self.verdict.kept.append((path, "used"))
        elif (as_before and not code and parent.kind in _MUTABLE_PARENTS and self.edit.same(path)
              and self.computed(path, trail)):  # fmt: skip
            self.verdict.kept.append((path, "computed"))
        else:
            self.differ(path, "entry" if parent.kind in _MUTABLE_PARENTS else "name", *texts)

    def order(self, path: Path, pair: _Pair, mine: list[str], theirs: list[str]) -> None:
        self.differ(path, "order", mine, theirs)

    # ---- kept state

    def had(self, parent: Node, graph: Graph, child: int, label: str) -> bool:
        """Whether the live object ``parent`` held the same before the swap."""
        _, _, graph_after, known = self.uses[-1]
        return self._has(graph_after, known, parent, graph, child, label)

    def _has(self, then: Graph, known: dict[int, int], parent: Node, graph: Graph, child: int, label: str) -> bool:
        """Whether the object ``parent`` held ``child`` (a node of ``graph``) at that moment."""
        index = known.get(parent.identity)
        if index is None:
            return False
        node = then.nodes[index]
        if node.sequence:
            identity = graph.nodes[child].identity if graph is self.live else 0
            return any(
                (identity and then.nodes[i].identity == identity)
                or (not identity and _sign(then, i) == _sign(graph, child))
                for i in node.edges.values()
            )
        if label not in node.edges:
            return False
        return graph is not self.live or _same_object(then.nodes[node.edges[label]], graph.nodes[child])

    def excuse(self, pair: _Pair, live: Node, fresh: Node) -> str:
        """Why a place may hold another value than in the fresh process; empty if it may not."""
        if pair.parent < 0 or not self.edit.same(pair.path):
            return ""
        parent = self.live.nodes[pair.parent]
        if not self.had(parent, self.live, pair.live, pair.label):
            return ""
        if any(self._touched(use, parent, pair.label) for use in self.uses):
            return "used"
        code = live.kind in ("function", "class") or fresh.kind in ("function", "class")
        if not code and parent.kind in _MUTABLE_PARENTS and self.computed(pair.path, pair.trail):
            return "computed"
        return ""

    def _touched(self, use: tuple[Graph, dict[int, int], Graph, dict[int, int]], parent: Node, label: str) -> bool:
        before, old, after, known = use
        if parent.identity not in old or parent.identity not in known:
            return False
        was = before.nodes[old[parent.identity]].edges.get(label)
        now = after.nodes[known[parent.identity]].edges.get(label)
        if was is None or now is None:
            return was is not now
        return not _same_object(before.nodes[was], after.nodes[now])

    def computed(self, path: Path, trail: tuple[int, ...]) -> bool:
        """Whether a kept object was computed from something that changed."""
        if path in self.earlier or self.edit.depends(path) or (len(path) > 1 and (path[0], path[1][1:]) in self.stale):
            return True
        for index in trail:
            node = self.live.nodes[index]
            kind = _class_of(self.live, node)
            if kind is not None and "." in kind and self._of_changed_class(kind):
                return True
        return any((m, q.partition(".")[0]) in self.stale for index in trail[-2:] for m, q in self._code_near(index))

    def _of_changed_class(self, name: str) -> bool:
        for module in self.live.roots:
            if name.startswith(f"{module}."):
                top = name[len(module) + 1 :].partition(".")[0]
                if self.edit.differs(module, top) or self.edit.depends((module, f".{top}")):
                    return True
        return False

    def _code_near(self, index: int) -> list[tuple[str, str]]:
        found = []
        for target in _near(self.live, index, 2):
            home = self.live.nodes[target].data.get("home")
            if isinstance(home, tuple):
                found.append((str(home[0]), str(home[1])))
        return found


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
        where = _name(old)
        found.extend(
            Difference((where,), name, str(new.data.get(name)), str(value))
            for name, value in old.data.items()
            if new.data.get(name) != value
        )
        if list(old.edges) != list(new.edges):
            found.append(Difference((where,), "entries", str(list(new.edges)), str(list(old.edges))))
        found.extend(
            Difference((where, label), "value", _text(after, new.edges[label]), _text(before, old.edges[label]))
            for label in old.edges.keys() & new.edges.keys()
            if not _same_object(before.nodes[old.edges[label]], after.nodes[new.edges[label]])
        )
    return found


def old_code(live: Graph, codes: set[tuple[object, ...]], stale: set[tuple[str, str]]) -> list[Difference]:
    """Finds functions, wherever they are held, whose code the new sources have in another form only."""
    named = {(code[0], code[1]) for code in codes}
    found = []
    for node in live.nodes:
        if node.kind != "function" or not isinstance(home := node.data["home"], tuple):
            continue
        key = code_key(node.data)
        if key[:2] in named and key not in codes and (home[0], str(home[1]).partition(".")[0]) not in stale:
            newer = [code[2] for code in codes if code[:2] == key[:2]]
            found.append(Difference((f"{home[0]}.{home[1]}",), "old code is still held", str(key[2]), str(newer)))
    return found


def code_key(data: dict[str, object]) -> tuple[object, ...]:
    """What tells one function's code from another's: file and qualified name first."""
    return (data["co_filename"], data["co_qualname"], data["co_firstlineno"], data["co_code"], str(data["co_consts"]))


# ---- what a node is


def _same_object(one: Node, other: Node) -> bool:
    return one.identity == other.identity and (one.identity != 0 or one.data == other.data)


def _class_of(graph: Graph, node: Node) -> str | None:
    index = node.edges.get("(type)")
    return None if index is None else _name(graph.nodes[index])


def _name(node: Node) -> str:
    if isinstance(home := node.data.get("home"), tuple):
        return f"{home[0]}.{home[1]}"
    if node.kind == "outside":
        return str(sorted(node.data["names"])[0])  # type: ignore[call-overload]
    return node.kind


def _has_identity(graph: Graph, node: Node) -> bool:
    if node.kind in ("function", "class", "module", "cell"):
        return True
    index = node.edges.get("(type)")
    if index is None:
        return False
    kind = graph.nodes[index]
    return kind.kind == "class" or (kind.kind == "outside" and bool(
        kind.data["names"] & {"builtins.list", "builtins.dict", "builtins.set"}))  # type: ignore[operator] # fmt: skip


def _near(graph: Graph, start: int, depth: int) -> set[int]:
    """The nodes that ``start`` holds, a few steps down, itself included; types of objects left out."""
    found, level = {start}, {start}
    for _ in range(depth):
        level = {i for n in level for label, i in graph.nodes[n].edges.items() if label != "(type)"} - found
        found |= level
    return found


def _holds_code(graph: Graph, index: int) -> bool:
    return any(graph.nodes[i].kind in ("function", "class") for i in _near(graph, index, 2))


def _sign(graph: Graph, index: int) -> tuple[str, ...]:
    """What an entry of a sequence is matched by."""
    node = graph.nodes[index]
    if node.kind in ("plain", "leaf"):
        return (node.kind, *map(str, node.data.values()))
    return (node.kind, _class_of(graph, node) or _name(node))


def _mark(graph: Graph, index: int) -> object:
    """Equal for the same object, or for plain values that are equal."""
    node = graph.nodes[index]
    return node.identity or str(node.data)


def _text(graph: Graph, index: int, depth: int = 2) -> str:
    """A node in short, for people."""
    node = graph.nodes[index]
    if node.kind == "plain":
        return str(node.data["value"])
    if not depth or node.kind in ("function", "class", "outside", "module", "leaf"):
        return f"<{node.kind} {_name(node) if node.kind != 'leaf' else node.data}>"
    held = ", ".join(f"{label}={_text(graph, i, depth - 1)}" for label, i in node.edges.items() if label != "(type)")
    return f"<{_class_of(graph, node) or node.kind} {held}>"


def _path(path: Path) -> str:
    return "".join(path)

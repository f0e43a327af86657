"""What the app's own work changed, and what the live process held before a swap. Pure: it looks at snapshots alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from oracle.difference import Moment
from oracle.nodes import mark, same_object, sign
from oracle.snapshot import Graph, Node


@dataclass(frozen=True, slots=True)
class Then:
    """The live process at one moment, and where in it each object is."""

    graph: Graph
    known: dict[int, int]

    def node(self, now: Node) -> Node | None:
        """What the object was then."""
        index = self.known.get(now.identity)
        return None if index is None else self.graph.nodes[index]

    def content(self, now: Node) -> Counter[object] | None:
        """What the object held, without order."""
        node = self.node(now)
        return None if node is None else content(self.graph, node)

    def has(self, parent: Node, graph: Graph, child: int, label: str, *, live: bool) -> bool:
        """Whether the object ``parent`` held ``child``, a node of ``graph``: the very same one, if that is ``live``."""
        node = self.node(parent)
        if node is None:
            return False
        if node.sequence:
            identity = graph.nodes[child].identity if live else 0
            held = node.edges.values()
            if identity:
                return any(self.graph.nodes[i].identity == identity for i in held)
            return any(sign(self.graph, i) == sign(graph, child) for i in held)
        if label not in node.edges:
            return False
        return not live or same_object(self.graph.nodes[node.edges[label]], graph.nodes[child])


class Use:
    """The live process before and after one use of the app."""

    def __init__(self, moment: Moment) -> None:
        self.before = Then(moment.before, moment.before.by_identity())
        self.after = Then(moment.after, moment.after.by_identity())

    def touched(self, parent: Node, label: str) -> bool:
        """Whether the use changed what ``parent`` holds by that label."""
        was, now = self.before.node(parent), self.after.node(parent)
        if was is None or now is None:
            return False
        old, new = was.edges.get(label), now.edges.get(label)
        if old is None or new is None:
            return old is not new
        return not same_object(self.before.graph.nodes[old], self.after.graph.nodes[new])

    def added(self, parent: Node, graph: Graph, child: int, label: str, *, live: bool) -> bool:
        """Whether the use put ``child`` there."""
        return self.after.has(parent, graph, child, label, live=live) and not self.before.has(
            parent, graph, child, label, live=live
        )

    def not_added(self, now: Node, subclasses: object) -> list[str]:
        """The subclasses of a class without those that the use made."""
        was, then = self.before.node(now), self.after.node(now)
        left = Counter(subclasses)  # type: ignore[call-overload]
        if was is not None and then is not None:
            left -= Counter(then.data["subclasses"]) - Counter(was.data["subclasses"])  # type: ignore[call-overload]
        return sorted(left.elements())

    def dropped(self, parent: Node, graph: Graph, child: int, label: str) -> bool:
        """Whether the use took away what is there by that label in the fresh process."""
        return self.before.has(parent, graph, child, label, live=False) and not self.after.has(
            parent, graph, child, label, live=False
        )


def content(graph: Graph, node: Node) -> Counter[object]:
    """What a node holds, without order."""
    return Counter(mark(graph, index) for index in node.edges.values())

"""What a node of a snapshot is, in the terms of a comparison. Pure."""

from __future__ import annotations

from oracle.snapshot import Graph, Node
from oracle.units import Path


def same_object(one: Node, other: Node) -> bool:
    """Whether two descriptions are of one object; plain values that are equal count as one."""
    return one.identity == other.identity and (one.identity != 0 or one.data == other.data)


def class_of(graph: Graph, node: Node) -> str | None:
    """The name of an object's class; None for what is told by its kind."""
    index = node.edges.get("(type)")
    return None if index is None else name_of(graph.nodes[index])


def name_of(node: Node) -> str:
    """What a module, class or function is called; of anything else, its kind."""
    if isinstance(home := node.data.get("home"), tuple):
        return f"{home[0]}.{home[1]}"
    if node.kind == "outside":
        return str(sorted(node.data["names"])[0])  # type: ignore[call-overload]
    return node.kind


def has_identity(graph: Graph, node: Node) -> bool:
    """Whether it matters which object it is."""
    if node.kind in ("function", "class", "module", "cell"):
        return True
    index = node.edges.get("(type)")
    if index is None:
        return False
    kind = graph.nodes[index]
    return kind.kind == "class" or (kind.kind == "outside" and bool(
        kind.data["names"] & {"builtins.list", "builtins.dict", "builtins.set"}))  # type: ignore[operator] # fmt: skip


def near(graph: Graph, start: int, depth: int) -> set[int]:
    """The nodes that ``start`` holds, a few steps down, itself included; types of objects left out."""
    found, level = {start}, {start}
    for _ in range(depth):
        level = {i for n in level for label, i in graph.nodes[n].edges.items() if label != "(type)"} - found
        found |= level
    return found


def holds_code(graph: Graph, index: int) -> bool:
    """Whether it is a function or class of the app, or holds one a few steps down."""
    return any(graph.nodes[i].kind in ("function", "class") for i in near(graph, index, 2))


def sign(graph: Graph, index: int) -> tuple[str, ...]:
    """What an entry of a sequence is matched by."""
    node = graph.nodes[index]
    if node.kind in ("plain", "leaf"):
        return (node.kind, *map(str, node.data.values()))
    return (node.kind, class_of(graph, node) or name_of(node))


def mark(graph: Graph, index: int) -> object:
    """Equal for the same object, or for plain values that are equal."""
    node = graph.nodes[index]
    return node.identity or str(node.data)


def shown(graph: Graph, index: int, depth: int = 2) -> str:
    """A node in short, for people."""
    node = graph.nodes[index]
    if node.kind == "plain":
        return str(node.data["value"])
    if not depth or node.kind in ("function", "class", "outside", "module", "leaf"):
        return f"<{node.kind} {name_of(node) if node.kind != 'leaf' else node.data}>"
    held = ", ".join(f"{label}={shown(graph, i, depth - 1)}" for label, i in node.edges.items() if label != "(type)")
    return f"<{class_of(graph, node) or node.kind} {held}>"


def path_text(path: Path) -> str:
    """A path as one word."""
    return "".join(path)

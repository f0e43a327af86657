"""Why a place of the live process may differ from the fresh one's: the three reasons of `compare`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oracle.history import Use, content
from oracle.nodes import class_of
from oracle.snapshot import Graph, Node
from oracle.units import Edit, Path

USED, COMPUTED, STALE = "used", "computed", "stale"
MUTABLE = ("container", "instance", "cell", "weak", "method")
"""Kinds of nodes that hold state, and not names."""
_FIRST_ASKED = ("->middleware_stack", "->_openapi_routes_version")
"""What an app of FastAPI makes when it is first asked. What it answers is compared; its statement may have changed."""


def written(function: Node) -> Path:
    """The module and the written name of a function: as a path, what `stale.bindings` gives for a closure."""
    home = function.data["home"]
    return (str(home[0]) if isinstance(home, tuple) else "", str(function.data["co_qualname"]))


class Kept:
    """Knows what was kept in one swap. ``stale`` are the bindings that the report names, as paths."""

    def __init__(
        self, live: Graph, edit: Edit, uses: Sequence[Use], stale: frozenset[Path], earlier: Mapping[Path, str]
    ) -> None:
        self.live, self.edit, self.uses, self.stale, self.earlier = live, edit, uses, stale, earlier

    def had(self, parent: Node, graph: Graph, child: int, label: str) -> bool:
        """Whether the live object ``parent`` held the same before the swap."""
        return self.uses[-1].after.has(parent, graph, child, label, live=graph is self.live)

    def added(self, parent: Node, child: int, label: str) -> bool:
        """Whether the app's work put it there."""
        return any(use.added(parent, self.live, child, label, live=True) for use in self.uses)

    def lacked(self, parent: Node, fresh: Graph, child: int, label: str) -> bool:
        """Whether the live object ``parent`` did not hold it before the swap either, or was not there at all."""
        if parent.identity and self.uses[-1].after.node(parent) is None:
            return True
        if parent.sequence:  # entries have no name to be missed by
            return self.uses[-1].after.content(parent) == content(self.live, parent)
        return not self.had(parent, fresh, child, label)

    def dropped(self, parent: Node, fresh: Graph, child: int, label: str) -> bool:
        """Whether the app's work took it away."""
        if parent.sequence:
            return any(use.before.content(parent) != use.after.content(parent) for use in self.uses)
        return any(use.dropped(parent, fresh, child, label) for use in self.uses)

    def value(self, path: Path, parent: Node, child: int, label: str, trail: tuple[int, ...], *, code: bool) -> str:
        """Why a place may hold another value than in the fresh process; empty if it may not."""
        same = self.edit.same(path)
        if not (same or label in _FIRST_ASKED) or not self.had(parent, self.live, child, label):
            return ""
        if any(use.touched(parent, label) for use in self.uses):
            return USED
        if not same:
            return ""
        return self.named(path, trail) if code else self.reason(path, parent, trail)

    def entry(
        self, path: Path, parent: Node, trail: tuple[int, ...], *, as_before: bool, used: bool, code: bool
    ) -> str:
        """Why a place may have something, or lack something, that the fresh process lacks or has."""
        if not as_before:
            return ""
        same = self.edit.same(path)
        if used and (same or parent.kind in ("module", "class")):
            return USED
        if code:
            return self.named(path, trail)
        return self.reason(path, parent, trail) if same else ""

    def reason(self, path: Path, parent: Node, trail: tuple[int, ...]) -> str:
        """Whether a place that is as it was lies in an object computed from what changed, or is named as stale."""
        if parent.kind in MUTABLE and self.computed(path, trail):
            return COMPUTED
        return self.named(path, trail)

    def named(self, path: Path, trail: tuple[int, ...]) -> str:
        """Whether the report names the binding that leads to a place, here or in a swap before this one."""
        return self._named(path, len(path) - len(trail))  # never through a function or class

    def _named(self, path: Path, first: int) -> str:
        bindings = [path[:end] for end in range(first, len(path) + 1)]
        named = any(binding in self.stale or self.edit.home(binding) in self.stale for binding in bindings)
        return STALE if named or self.earlier.get(path) == STALE else ""

    def within(self, path: Path, parent: Node, child: int, label: str) -> str:
        """Whether a place is as it was, and the report names a binding that leads there, through functions too."""
        as_it_was = self.edit.same(path) and self.had(parent, self.live, child, label)
        return self._named(path, 1) if as_it_was else ""

    def closure(self, live: Node, path: Path) -> bool:
        """Whether it is a function made inside another that the report names, here or in a swap before this one."""
        return live.kind == "function" and (written(live) in self.stale or self.earlier.get(path) == STALE)

    def made(self, live: Graph, path: Path) -> bool:
        """Whether a name is bound to a class that no class statement makes, but a call that is named as stale."""
        if path not in self.stale or path[0] not in live.roots or self.edit.is_class(path):
            return False
        bound = live.nodes[live.roots[path[0]]].edges.get(path[1])
        return bound is not None and live.nodes[bound].kind == "class"

    def computed(self, path: Path, trail: tuple[int, ...]) -> bool:
        """Whether a kept object was computed from something that changed."""
        if self.earlier.get(path) == COMPUTED or self.edit.depends(path):
            return True
        kinds = (class_of(self.live, self.live.nodes[index]) for index in trail)
        return any(kind is not None and "." in kind and self._of_changed_class(kind) for kind in kinds)

    def _of_changed_class(self, name: str) -> bool:
        for module in self.live.roots:
            if name.startswith(f"{module}."):
                top = name[len(module) + 1 :].partition(".")[0]
                if self.edit.differs(module, top) or self.edit.depends((module, f".{top}")):
                    return True
        return False

"""`drift`: what production runs that git does not have. It changes nothing, and fetches sources only to show them.

Each module of the watched packages is looked at in three places: what the newest release makes production run, what
HEAD holds, and what lies in the working tree. What git ignores is left out, as everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from habanero_py import events as e
from habanero_py import versions
from habanero_py.codes import DRIFTED
from habanero_py.session import Session

NO_GIT = "no commit to compare with: production is compared with the working tree alone"


@dataclass(frozen=True, slots=True)
class Places:
    """The sha256 of one module's source in each place; None where it does not exist. `known`: whether HEAD is."""

    production: str | None
    head: str | None
    tree: str | None
    known: bool

    def words(self) -> tuple[str, ...]:
        """What is different, as stable words; empty when nothing is, or only the tree has something new."""
        if self.production is None:
            return ("not-in-production",) if (self.head if self.known else None) is not None else ()
        same_head = self.known and versions.same_text(self.production, self.head)
        same_tree = versions.same_text(self.production, self.tree)
        if self.head is None and self.tree is None:
            return ("only-in-production",)
        words = []
        if self.known and not same_head:
            words.append("uncommitted" if same_tree else "differs-from-head")
        if not same_tree:
            words.append("differs-from-tree")
        return tuple(words)


def drift(session: Session, *, show_diff: bool) -> int:
    """Tells each module that drifted; 0 when there is none, else DRIFTED."""
    view, _ = session.pusher.refresh()
    releases, project = session.pusher.releases, session.sources.project
    code = versions.release_code(view, releases, view.running)
    committed = session.repository.sources()
    if committed is None:
        session.emit(e.Notice(NO_GIT))
    watched = {name: source for name, source in code.items() if name.partition(".")[0] in project.top_level}
    production = {project.shown(source.path): (name, source) for name, source in watched.items()}
    tree = {module.shown: module for module in session.sources.scan().modules.values()}
    head = committed or {}
    ignored = session.sources.left_alone({source.path for _, source in production.values()})
    found = []
    for path in sorted(production.keys() | tree.keys() | head.keys()):
        name, source = production.get(path, (_module(path, tree), None))
        if source is not None and source.path in ignored:
            continue
        places = Places(
            source.sha256 if source else None,
            hashlib.sha256(head[path]).hexdigest() if path in head else None,
            tree[path].sha256 if path in tree else None,
            committed is not None,
        )
        if words := places.words():
            found.append((e.Drifted(name, path, words, places.production, places.head, places.tree), source))
    session.emit(e.Drift(view.running, len(production), tuple(drifted for drifted, _ in found)))
    if show_diff:
        for drifted, source in found:
            _show(session, drifted, source, head)
    return DRIFTED if found else 0


def _module(path: str, tree: Mapping[str, versions.Named]) -> str:
    return tree[path].name if path in tree else ""


def _show(
    session: Session, drifted: e.Drifted, source: versions.Source | None, head: Mapping[str, bytes]
) -> None:
    """The way from git, or without it from the tree, to production."""
    path, old = drifted.path, b""
    modules = session.sources.scan().modules
    side = "HEAD"
    if path in head and not versions.same_text(drifted.production or "", drifted.head):
        old = head[path]
    elif drifted.tree is not None:
        side, old = "tree", next(module.source for module in modules.values() if module.shown == path)
    new = versions.read(session.server, session.pusher.releases, source)
    text = versions.unified(
        old, new, f"{side}/{path}" if old else "/dev/null", f"production/{path}" if source else "/dev/null"
    )
    session.emit(e.ModuleDiff(drifted.module or path, side, "production", drifted.words[0], text))

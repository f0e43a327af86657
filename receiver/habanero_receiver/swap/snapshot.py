"""Copies of what containers, objects and classes hold, to be given to them again. Copies are shallow.

The rule it upholds: who did not change is left alone, and a mapping in use is never seen empty.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from .finding.live import reachable
from .kinds import instance_dict, is_a
from .undo import fill, reorder, restore_class, restore_mapping

Copy = tuple[Any, Any]
"""A list, deque, set, dict or class, and what it held."""


class Snapshot:
    """Copies of all that can be reached from ``roots``."""

    def __init__(self, roots: Iterable[object], own_modules: frozenset[str]) -> None:
        self._copies = [copy for item in reachable(roots, own_modules) for copy in copies_of(item, own_modules)]

    def restore(self) -> None:
        """Gives everything the content that it had."""
        restore(self._copies)


def copies_of(item: object, own_modules: frozenset[str]) -> list[Copy]:
    """The copies that restore one object: of what it holds as a container, and of its attributes."""
    copies: list[Copy] = []
    if is_a(item, (list, deque)):
        copies.append((item, list(item)))
    elif is_a(item, set):
        copies.append((item, set(item)))
    elif is_a(item, dict):
        copies.append((item, dict.copy(item)))
    elif is_a(item, type) and item.__module__ in own_modules:
        copies.append((item, dict(item.__dict__)))
    if (held := instance_dict(item)) is not None:
        copies.append((held, dict.copy(held)))
    return copies


def restore(copies: Iterable[Copy]) -> None:
    """Gives each the content that was copied."""
    for held, content in copies:
        if is_a(held, (list, deque)):
            if not _same_items(held, content):
                fill(held, content)
        elif is_a(held, set):
            if held != content:
                held.clear()
                held.update(content)
        elif is_a(held, dict):
            restore_mapping(held, content)
            reorder(held, list(content))
        else:
            restore_class(held, content)


def _same_items(items: list[Any] | deque[Any], old: list[Any]) -> bool:
    return len(items) == len(old) and all(a is b for a, b in zip(items, old, strict=True))

"""What statements can change beside the app's own objects: ``lib.fetch = fake``, ``sys.path.append(x)``, subclasses.

Of each module that running code speaks of, the names that it speaks of are noted beforehand, and the containers that
these are bound to, as they are: whoever undoes the commit puts both back. It does not look further: what objects of
libraries hold is theirs. The table of loaded modules is left out: what was imported from a library stays imported.
Of each class that the code speaks of are noted the subclasses: those made since are no longer among them.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from .finding.live import orphan, subclasses
from .kinds import is_a
from .undo import fill, restore_mapping

_MISSING: Any = object()


class Outlying:
    """Names of modules, and what containers by these names held, at the time that this was made."""

    def __init__(self, spoken: Iterable[tuple[ModuleType, Iterable[str]]]) -> None:
        self._bound: list[tuple[dict[str, Any], str, Any]] = []
        self._held: dict[int, tuple[Any, Any]] = {}
        for module, names in spoken:
            namespace = vars(module)
            for name in names:
                value = namespace.get(name, _MISSING)
                self._bound.append((namespace, name, value))
                if value is os.environ:
                    self._held[id(value)] = (value, dict(value))
                elif type(value) in (list, dict, set, deque) and value is not sys.modules:
                    self._held[id(value)] = (value, value.copy())

    def restore(self) -> None:
        """Binds what was bound and gives containers what they held; what did not change is left alone."""
        for namespace, name, value in self._bound:
            if value is _MISSING:
                if not _is_submodule(namespace.get(name), namespace):
                    namespace.pop(name, None)
            elif namespace.get(name, _MISSING) is not value:
                namespace[name] = value
        for held, content in self._held.values():
            if held is os.environ:
                _restore_environment(content)
            elif held != content:
                _refill(held, content)


class Offspring:
    """The app's subclasses of classes, as they were when this was made. Libraries keep what they make."""

    def __init__(self, found: Iterable[object], is_own: Callable[[str], bool]) -> None:
        self._is_own = is_own
        self._before = [(cls, subclasses(cls)) for cls in found if is_a(cls, type) and cls is not object]

    def restore(self) -> None:
        """Lets go of those made since, which live until the collector comes to them."""
        for cls, before in self._before:
            known = set(map(id, before))
            for sub in subclasses(cls):
                if id(sub) not in known and self._is_own(sub.__module__):
                    orphan(sub)


def _is_submodule(value: object, namespace: dict[str, Any]) -> bool:
    """Whether an import bound it: what is loaded stays bound in its package."""
    return is_a(value, ModuleType) and value.__name__.rpartition(".")[0] == namespace.get("__name__")


def _restore_environment(content: dict[str, str]) -> None:
    """By its own methods: these tell the C library too."""
    for name in os.environ.keys() - content.keys():
        del os.environ[name]
    for name, value in content.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def _refill(held: Any, content: Any) -> None:
    if is_a(held, dict):
        restore_mapping(held, content)
    elif is_a(held, set):
        held.intersection_update(content)
        held.update(content)
    else:
        fill(held, list(content))

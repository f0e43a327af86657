"""Caches of `functools`: which hold results of which function, and which start empty because results came of a change.

A function that is kept can answer otherwise than before, because of a constant that it reads or a function that it
calls. What its cache holds then is what a restart would compute otherwise. Caches of other makes are the app's state.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.undo import UndoLog

if TYPE_CHECKING:
    from .causes import Trace

Cache: Any = type(functools.lru_cache(lambda: None))
_MAX_WRAPPERS = 10


def cache_of(living: object) -> Any:
    """The cache around a function of the app, inside other decorators; None if there is none."""
    item: Any = living
    for _ in range(_MAX_WRAPPERS):
        if is_a(item, Cache):
            return item if is_a(item.__wrapped__, FunctionType) else None
        if is_a(item, (staticmethod, classmethod)):
            item = item.__func__
        elif is_a(item, FunctionType) and "__wrapped__" in item.__dict__:
            item = item.__dict__["__wrapped__"]
        else:
            break
    return None


@dataclass(frozen=True, slots=True)
class StaleCache:
    """A cache, and what the results in it were computed by that may change."""

    cache: Any
    trace: Trace

    def clear(self, log: UndoLog) -> None:
        """Empties it if any of that did change. Taken back, it starts empty as well."""
        if any(cause.happened() for cause in self.trace.causes):
            log.do((self.cache.cache_clear,), (self.cache.cache_clear,))

"""Searches the heap for functions and instances that can be anywhere. Slow work, done while staging.

Looking at all objects gives a reference to each, and a tuple that another thread is still building fails when it finds
itself referenced. So nothing here holds an object that it was not looking for while other threads can run: either the
collector compares (`gc.get_referrers`), or the whole selection is one call that runs no bytecode.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, compress, repeat, starmap
from operator import contains, is_
from types import CodeType, FunctionType
from typing import Any

from .live import FunctionIndex, subclasses

Generations = Sequence[tuple[int, ...]]
"""Arguments of `gc.get_objects`: one generation each, or none for all."""
_YOUNG: Generations = ((0,), (1,))
_MAX_COMPARED = 48
"""Up to how many objects `gc.get_referrers` compares with are cheaper than looking at all objects once."""


def unfreeze() -> None:
    """Lets a search see what a preloading server froze."""
    if gc.get_freeze_count():
        gc.unfreeze()
        Newborn.thaws += 1


def search_for(codes: Collection[CodeType], indexes: Iterable[FunctionIndex]) -> None:
    """Adds the functions that run one of ``codes``, wherever they are. Costs time in proportion to the heap."""
    if len(codes) > _MAX_COMPARED:
        search_all(indexes)
        return
    unfreeze()
    by_file = {name: index for index in indexes for name in index.names}
    for item in gc.get_referrers(*codes) if codes else ():
        if type(item) is FunctionType and (index := by_file.get(item.__code__.co_filename)) is not None:
            index.add(item)


def search_all(indexes: Iterable[FunctionIndex]) -> None:
    """Adds every function of the indexes' files that exists at all. Costs several times what `search_for` does."""
    unfreeze()
    by_file = {name: index for index in indexes for name in index.names}
    for function in _select(FunctionType, [()]):
        if (index := by_file.get(function.__code__.co_filename)) is not None:
            index.add(function)


def youngest_functions(filenames: frozenset[str], generations: Generations = _YOUNG) -> list[FunctionType]:
    """Functions of these files that were made a moment ago: what a search of some milliseconds ago can lack."""
    return [f for f in _select(FunctionType, generations) if f.__code__.co_filename in filenames]


def instances_of(classes: Iterable[type]) -> list[Any]:
    """The living instances of the classes and of what inherits from them. Costs time in proportion to the heap."""
    kinds = with_subclasses(classes)
    unfreeze()
    if len(kinds) > _MAX_COMPARED:
        return _select_kinds(kinds, [()])
    return [item for item in gc.get_referrers(*kinds) if type(item) in kinds]


def youngest_instances(classes: Iterable[type], generations: Generations = _YOUNG) -> list[Any]:
    """Instances that were made a moment ago."""
    return _select_kinds(with_subclasses(classes), generations)


class Newborn:
    """All that is made from now on of what ``select`` looks for, also what grows old before it is asked for.

    What was made since a search is in the collector's two young generations, until a collection of the second moves
    all that survives to the oldest. So each of these is preceded by a look. Make it before the search that it follows.
    """

    thaws = 0
    """How often `unfreeze` made all that was frozen old."""

    def __init__(self, select: Callable[[Generations], list[Any]]) -> None:
        self._select = select
        self._frozen = gc.get_freeze_count(), Newborn.thaws
        self._caught: list[Any] = []
        watch = weakref.ref(self)

        def look(phase: str, info: Mapping[str, int]) -> None:
            newborn = watch()
            if newborn is not None and phase == "start" and info["generation"] > 0:
                newborn._caught.extend(newborn._select(_YOUNG))

        gc.callbacks.append(look)
        weakref.finalize(self, _forget_callback, look).atexit = False

    def found(self) -> list[Any]:
        """What was made until now, as far as it lives. Costs well under 1 ms, unless the app froze its heap since."""
        if (gc.get_freeze_count(), Newborn.thaws) == self._frozen:
            return [*self._caught, *self._select(_YOUNG)]
        unfreeze()
        return self._select([()])


def _forget_callback(callback: Callable[..., None]) -> None:
    with suppress(ValueError):  # whoever clears the list takes it away too
        gc.callbacks.remove(callback)


def with_subclasses(classes: Iterable[type]) -> set[type]:
    """The classes and all that inherit from them."""
    found: set[type] = set()
    waiting = list(classes)
    while waiting:
        if (cls := waiting.pop()) not in found:
            found.add(cls)
            waiting.extend(subclasses(cls))
    return found


def _select(kind: type, generations: Generations) -> list[Any]:
    """The objects whose type is ``kind``."""
    held: list[Any] = []
    return _in_one_call(held, map(is_, map(type, held), repeat(kind)), generations)


def _select_kinds(kinds: set[type], generations: Generations) -> list[Any]:
    """The objects whose type is one of ``kinds``."""
    held: list[Any] = []
    wanted = frozenset(map(id, kinds))
    return _in_one_call(held, map(contains, repeat(wanted), map(id, map(type, held))), generations)


def _in_one_call(held: list[Any], selectors: Iterator[bool], generations: Generations) -> list[Any]:
    """Fills ``held`` with all objects, selects some and empties it: in one call, in which no other thread runs."""
    fill = map(held.extend, starmap(gc.get_objects, generations))
    found = list(chain(fill, compress(held, selectors), starmap(held.clear, [()])))
    return [item for item in found if item is not None]

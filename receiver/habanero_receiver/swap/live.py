"""Finds the functions of the live process that a swap has to touch. It reads; it changes nothing.

Structure first: what can be reached from a module through its classes, closures, wrappers, partials, descriptors and
containers. Only a function whose code is made inside another one, or that structure does not lead to, is looked for on
the heap, once for a whole release and never inside the pause of a commit.
"""

from __future__ import annotations

import functools
import gc
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from types import (
    CellType,
    CodeType,
    FunctionType,
    MethodType,
    ModuleType,
)
from typing import Any

MAX_OBJECTS = 50_000
"""How many objects one structural search looks at before it leaves the rest to the heap search."""
MAX_DEPTH = 7

_PLAIN = (str, bytes, int, float, complex, bool, type(None), ModuleType, CodeType)
_CONTAINERS = (list, tuple, set, frozenset, deque)


def reachable(roots: Iterable[object], own_modules: frozenset[str]) -> Iterator[object]:
    """Every object that structure leads to from ``roots``, nearest first, each once.

    Classes are entered only where they belong to one of ``own_modules``.
    """
    seen: set[int] = set()
    level: list[object] = list(roots)
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for item in level:
            if isinstance(item, _PLAIN) or id(item) in seen:
                continue
            seen.add(id(item))
            if len(seen) > MAX_OBJECTS:
                return
            yield item
            below.extend(_parts(item, own_modules))
        level = below


def _parts(item: Any, own_modules: frozenset[str]) -> Iterable[object]:
    """What ``item`` directly holds, as far as structure is followed."""
    kind = type(item)
    if kind is dict:
        return [*item.keys(), *item.values()]
    if isinstance(item, dict):
        return list(item.values())
    if isinstance(item, _CONTAINERS):
        return list(item)
    if kind is FunctionType:
        defaults = [*(item.__defaults__ or ()), *(item.__kwdefaults__ or {}).values()]
        return [*_cells(item), *defaults, *item.__dict__.values()]
    if isinstance(item, type):
        return list(item.__dict__.values()) if item.__module__ in own_modules else ()
    if kind in (staticmethod, classmethod):
        return (item.__func__,)
    if isinstance(item, property):
        return (item.fget, item.fset, item.fdel)
    if isinstance(item, MethodType):
        return (item.__func__, item.__self__)
    if isinstance(item, functools.partial):
        return (item.func, item.args, item.keywords)
    held = instance_dict(item)
    return list(held.values()) if held else ()


def instance_dict(item: object) -> dict[str, Any] | None:
    """The instance dictionary of ``item`` without running any code of its class."""
    try:
        held = object.__getattribute__(item, "__dict__")
    except (AttributeError, TypeError):
        return None
    return held if type(held) is dict else None


def _cells(function: FunctionType) -> list[object]:
    return [content for cell in function.__closure__ or () for content in cell_content(cell)]


def cell_content(cell: CellType) -> tuple[object, ...]:
    """What is in a closure's cell: nothing or one object."""
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


class FunctionIndex:
    """The functions of one file that were found in the live process, by their code."""

    def __init__(self, filename: str) -> None:
        self.filename = filename
        self._by_code: dict[tuple[bytes, CodeType], list[FunctionType]] = defaultdict(list)
        self._by_name: dict[tuple[str, int], list[FunctionType]] = defaultdict(list)
        self._seen: set[int] = set()

    def add(self, function: FunctionType) -> None:
        """Takes a function in if it is of this file."""
        code = function.__code__
        if code.co_filename == self.filename and id(function) not in self._seen:
            self._seen.add(id(function))
            self._by_code[_place(code)].append(function)
            self._by_name[code.co_qualname, code.co_firstlineno].append(function)

    def of(self, code: CodeType) -> list[FunctionType]:
        """The functions that run ``code``, from whichever compilation of the same text their code object is.

        Bytecode that was made otherwise (by a tool that rewrites it on import) is told by its name and line.
        """
        exact = self._by_code.get(_place(code))
        if exact is not None or code.co_name == "<lambda>":  # several can share a line
            return exact or []
        return self._by_name.get((code.co_qualname, code.co_firstlineno), [])

    def __iter__(self) -> Iterator[FunctionType]:
        for functions in self._by_code.values():
            yield from functions


def _place(code: CodeType) -> tuple[bytes, CodeType]:
    """Equal for the same code at the same place of one file: code objects leave their file out of comparisons."""
    return (code.co_linetable, code)


def unfreeze() -> None:
    """Lets a search see what a preloading server froze."""
    if gc.get_freeze_count():
        gc.unfreeze()


def search_heap(indexes: Iterable[FunctionIndex]) -> None:
    """Adds every function of the indexes' files that exists at all. Costs time in proportion to the heap."""
    unfreeze()
    by_file = {index.filename: index for index in indexes}
    for item in gc.get_objects():
        if type(item) is FunctionType and (index := by_file.get(item.__code__.co_filename)) is not None:
            index.add(item)


def youngest_functions(filenames: frozenset[str]) -> list[FunctionType]:
    """Functions of these files that were made a moment ago: what a search of some milliseconds ago can lack."""
    young = [*gc.get_objects(generation=0), *gc.get_objects(generation=1)]
    return [item for item in young if type(item) is FunctionType and item.__code__.co_filename in filenames]

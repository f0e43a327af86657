"""Finds what structure leads to from a module: through its classes, closures, wrappers, partials and containers.

It reads; it changes nothing, and runs no code of the app. What structure does not lead to is found by `heap`.
"""

from __future__ import annotations

import builtins
import functools
import weakref
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import (
    CellType,
    CodeType,
    FunctionType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

from habanero_receiver.swap.kinds import instance_dict, is_a, slot_content, slot_members

MAX_OBJECTS = 50_000
"""How many objects one structural search looks at before it leaves the rest to the heap search."""
MAX_DEPTH = 7
NEAR_OBJECTS = 2_000
"""How many objects a structural search looks at in the pause of a commit."""

PLAIN = (str, bytes, int, float, complex, bool, type(None), ModuleType, CodeType)
"""Kinds that lead nowhere."""
_CONTAINERS = (list, tuple, set, frozenset, deque)


def reachable(
    roots: Iterable[object], own_modules: frozenset[str], max_objects: int = MAX_OBJECTS
) -> Iterator[object]:
    """Every object that structure leads to from ``roots``, nearest first, each once, up to ``max_objects``.

    Classes are entered only where they belong to one of ``own_modules``. The namespace of the builtins, which every
    module holds, is not.
    """
    seen: set[int] = {id(vars(builtins))}
    structure = Structure(own_modules)
    level: list[object] = list(roots)
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for item in level:
            if is_a(item, PLAIN) or id(item) in seen:
                continue
            seen.add(id(item))
            if len(seen) > max_objects:
                return
            yield item
            below.extend(structure.parts(item))
        level = below


class Structure:
    """What objects directly hold, as far as structure is followed.

    Classes are entered that ``own_modules`` define, and slots of their instances; those of libraries are out of sight.
    """

    def __init__(self, own_modules: frozenset[str]) -> None:
        self._own_modules = own_modules
        self._slots: dict[int, tuple[type, tuple[MemberDescriptorType, ...]]] = {}

    def parts(self, item: Any) -> Iterable[object]:
        """What ``item`` holds: keys and values, attributes, and what is in closures and wrappers."""
        kind = type(item)
        if is_a(item, dict):
            return [*dict.keys(item), *dict.values(item)]
        if is_a(item, _CONTAINERS):
            return list(item)
        if kind is FunctionType:
            defaults = [*(item.__defaults__ or ()), *(item.__kwdefaults__ or {}).values()]
            return [*_cells(item), *defaults, *item.__dict__.values()]
        if is_a(item, type):
            return list(item.__dict__.values()) if item.__module__ in self._own_modules else ()
        if kind in (staticmethod, classmethod):
            return (item.__func__,)
        if is_a(item, property):
            return (item.fget, item.fset, item.fdel)
        if is_a(item, MethodType):
            return (item.__func__, item.__self__)
        if is_a(item, functools.partial):
            return (item.func, *item.args, item.keywords, *item.keywords.values())
        held = instance_dict(item)
        return [*(held.values() if held else ()), *self._in_slots(item)]

    def _in_slots(self, item: Any) -> Iterator[object]:
        cls = type(item)
        if id(cls) not in self._slots:  # by identity: a metaclass can have a hash of its own
            self._slots[id(cls)] = (cls, slot_members(cls) if cls.__module__ in self._own_modules else ())
        for member in self._slots[id(cls)][1]:
            yield from slot_content(member, item)


def layers(wrapper: FunctionType, innermost: FunctionType | None = None) -> list[FunctionType]:
    """A wrapper and the functions that it is made of, from the outside, without ``innermost`` and what that holds.

    What a wrapper may reach otherwise, in a registry that it was put into, is no part of it.
    """
    found: dict[int, FunctionType] = {}
    waiting: deque[FunctionType] = deque([wrapper])
    while waiting:
        layer = waiting.popleft()
        if layer is innermost or id(layer) in found:
            continue
        found[id(layer)] = layer
        waiting += (part for part in Structure(frozenset()).parts(layer) if type(part) is FunctionType)
    return list(found.values())


def is_layer(function: FunctionType, wrapper: FunctionType) -> bool:
    """Whether ``wrapper`` holds ``function`` by itself, and may call it: that cannot become the wrapper then."""
    return any(layer is function for layer in layers(wrapper))


def leads_to(roots: Iterable[object], target: object, *, unsure: bool) -> bool:
    """Whether structure leads from ``roots`` to ``target``; ``unsure`` is the answer where it leads to very much.

    It is asked in the pause of a commit, so that it looks at ``NEAR_OBJECTS`` at most.
    """
    seen = 0
    for item in reachable(roots, frozenset(), NEAR_OBJECTS):
        if item is target:
            return True
        seen += 1
    return unsure and seen + 1 >= NEAR_OBJECTS


class _Nowhere:
    """What a twin inherits from when it has served, so that nobody finds it among the subclasses of its bases."""


_twins: weakref.WeakSet[type] = weakref.WeakSet()


def orphan(twin: type) -> None:
    """Lets go of a class that was made only to see what a body derives: it is no subclass of the app's any more."""
    _twins.add(twin)
    bases: Any = type.__dict__["__bases__"]
    for base in (_Nowhere, *twin.__mro__[1:]):
        if base is not object and base not in twin.__bases__:
            with suppress(TypeError):  # of another layout
                bases.__set__(twin, (base,))
                return


def subclasses(cls: type) -> list[type]:
    """The direct subclasses of a class, without those that were let go and wait for the collector."""
    found: list[type] = type.__subclasses__(cls)
    return [sub for sub in found if sub not in _twins]


def _cells(function: FunctionType) -> list[object]:
    return [content for cell in function.__closure__ or () for content in cell_content(cell)]


def cell_content(cell: CellType) -> tuple[object, ...]:
    """What is in a closure's cell: nothing or one object."""
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


class FunctionIndex:
    """The functions of one file that were found in the live process, by their code.

    ``names`` are the file names that code of it has, where that of former versions has others.
    """

    def __init__(self, filename: str, names: Iterable[str] = ()) -> None:
        self.filename = filename
        self.names = frozenset((filename, *names))
        self._by_code: dict[tuple[bytes, CodeType], list[FunctionType]] = defaultdict(list)
        self._by_name: dict[tuple[str, int], list[FunctionType]] = defaultdict(list)
        self._nested: dict[tuple[bytes, CodeType], dict[int, CodeType]] = defaultdict(dict)
        self._seen: set[int] = set()

    def add(self, function: FunctionType) -> None:
        """Takes a function in if it is of this file."""
        code = function.__code__
        if code.co_filename in self.names and id(function) not in self._seen:
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

    def functions(self) -> list[FunctionType]:
        """The functions that were found."""
        return [function for functions in self._by_code.values() for function in functions]

    def codes(self) -> list[CodeType]:
        """The code of the functions that were found."""
        return [function.__code__ for function in self.functions()]

    def living(self, code: CodeType) -> list[CodeType]:
        """The code objects in the process that are ``code``, inside those of the functions that were found."""
        if not self._nested:
            for functions in self._by_code.values():
                for function in functions:
                    self._note_nested(function.__code__)
        return list(self._nested.get(_place(code), {}).values())

    def _note_nested(self, code: CodeType) -> None:
        for constant in code.co_consts:
            if is_a(constant, CodeType):
                self._nested[_place(constant)][id(constant)] = constant
                self._note_nested(constant)


def _place(code: CodeType) -> tuple[bytes, CodeType]:
    """Equal for the same code at the same place of one file: code objects leave their file out of comparisons."""
    return (code.co_linetable, code)

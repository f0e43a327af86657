"""Tells whether a loop would run other code if it began again now.

A print is taken of the function that a loop is, of the functions made inside it, and of those that it is wrapped
in or closes over: decorators, partials, methods. It holds what they do (instructions, names, constants, defaults),
and not where that stands: a comment, a docstring or a shift of lines is no change.

What it does not: it does not look into what a loop calls by its global name; the next call has the new code anyway.
Values in closures are the loop's own state, so only the functions among them count.
"""

from __future__ import annotations

import dis
import functools
import inspect
from dataclasses import dataclass
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_FUNCTIONS = 500
"""How many functions one print covers; more are a registry that the loop happens to hold, not the loop's code."""

_PLAIN = (str, bytes, int, float, complex, bool, type(None), type(Ellipsis))


@dataclass(frozen=True, slots=True)
class Codeprint:
    """What a loop's code is at one moment. Equal prints: beginning again would change nothing."""

    loop: _Identity
    functions: tuple[object, ...]


def codeprint(loop: object) -> Codeprint:
    """Take the print of what `loop` would run if it were called now."""
    return Codeprint(_Identity(loop), tuple(_of_function(function) for function in _functions(loop)))


class _Identity:
    """Compares by being the same object, which it keeps alive so that nothing else can take its place.

    A bound method is made anew at each look, so there it is the object and the function that count.
    """

    __slots__ = ("item",)

    def __init__(self, item: object) -> None:
        self.item = item

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Identity):
            return NotImplemented
        mine, others = self.item, other.item
        if isinstance(mine, MethodType) and isinstance(others, MethodType):
            return mine.__self__ is others.__self__ and mine.__func__ is others.__func__
        return mine is others

    def __hash__(self) -> int:
        return hash(type(self.item))


def _functions(loop: object) -> list[FunctionType]:
    """Every function that is part of the loop, each once, in an order that depends on their structure alone."""
    found: list[FunctionType] = []
    seen: set[int] = set()
    waiting = [loop]
    while waiting and len(found) < MAX_FUNCTIONS:
        item = waiting.pop(0)
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, FunctionType):
            found.append(item)
        waiting.extend(_parts(item))
    return found


def _parts(item: object) -> Iterable[object]:
    if isinstance(item, FunctionType):
        wrapped = item.__dict__.get("__wrapped__")
        defaults = (*(item.__defaults__ or ()), *(item.__kwdefaults__ or {}).values())
        return [part for part in (wrapped, *_cells(item), *defaults) if _is_code(part)]
    if isinstance(item, (MethodType, staticmethod, classmethod)):
        return [item.__func__]
    if isinstance(item, functools.partial):
        return [item.func, *(part for part in (*item.args, *item.keywords.values()) if _is_code(part))]
    return [] if isinstance(item, type) else [inspect.getattr_static(type(item), "__call__", None)]


def _is_code(item: object) -> bool:
    return isinstance(item, (FunctionType, MethodType, staticmethod, classmethod, functools.partial))


def _cells(function: FunctionType) -> list[object]:
    found = []
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:
            continue  # not bound yet
    return found


def _of_function(function: FunctionType) -> object:
    keywords = function.__kwdefaults__ or {}
    return (
        code_print(function.__code__),
        tuple(_of_value(value) for value in function.__defaults__ or ()),
        tuple((name, _of_value(keywords[name])) for name in sorted(keywords)),
    )


def _of_value(value: object) -> object:
    """Plain values count as what they are, containers and other objects as themselves."""
    if type(value) in _PLAIN:
        return (type(value), repr(value))
    if type(value) is tuple:
        return tuple(_of_value(item) for item in value)
    return _Identity(value)


def code_print(code: CodeType) -> object:
    """What one code object does, with those inside it. Equal prints: the same, wherever it stands."""
    shape = (code.co_flags & _SHAPE, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return (shape, names, code.co_exceptiontable, tuple(_of_instruction(i) for i in dis.get_instructions(code)))


_SHAPE = 0x04 | 0x08 | 0x20 | 0x80 | 0x200
"""The flags of a code object that say how it is called: *args, **kwargs, generator, coroutine, async generator."""


def _of_instruction(instruction: dis.Instruction) -> object:
    """An instruction with the constant or name that it means, not with its index: a docstring shifts the indices."""
    return (instruction.opname, _of_constant(instruction.argval))


def _of_constant(value: object) -> object:
    if isinstance(value, CodeType):
        return code_print(value)
    if type(value) in (tuple, frozenset):
        items = [_of_constant(item) for item in value]  # type: ignore[attr-defined]  # either of the two
        return (type(value), tuple(items) if type(value) is tuple else frozenset(items))
    return (type(value), repr(value))

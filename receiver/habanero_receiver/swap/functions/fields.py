"""The one place that writes fields that Python shows as read-only: a function's closure, globals and code, as pointers.

A living function must get new code and a closure that fits it while it stays the same object, and no other thread may
call it in between. CPython offers no way to assign ``__closure__``, and warns of code of another kind, so
these pointers are exchanged in place. Where the fields lie is found out once, by looking for known values in functions
made for it; where they are not found the engine refuses such changes instead.

The rule that it upholds: what it returns are calls into C that keep the interpreter lock and run no bytecode, so that a
list of them is done as one. Counts of references are right after each of them, forwards and backwards.
"""

from __future__ import annotations

import ctypes
import sys
from types import CellType, CodeType, FunctionType
from typing import Any

from habanero_receiver.swap.undo import IDLE, Step

_POINTER = ctypes.sizeof(ctypes.c_void_p)


def _find_offset(name: str) -> int | None:
    """The byte offset of a function object's field, or None where it cannot be told."""
    if sys.implementation.name != "cpython" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None
    samples = (_sample(1), _sample(2))
    slots = range(2 * _POINTER, FunctionType.__basicsize__, _POINTER)
    offsets = [slot for slot in slots if all(_field(f, slot).value == id(getattr(f, name)) for f in samples)]
    return offsets[0] if len(offsets) == 1 else None


def _sample(value: int) -> FunctionType:
    def sample() -> int:
        return value

    assert isinstance(sample, FunctionType)
    return sample


def _field(function: FunctionType, offset: int) -> ctypes.c_void_p:
    return ctypes.c_void_p.from_address(id(function) + offset)


_CLOSURE, _CODE, _GLOBALS = map(_find_offset, ("__closure__", "__code__", "__globals__"))
available = None not in (_CLOSURE, _CODE, _GLOBALS)
"""Whether closures can be exchanged on this interpreter."""


def exchange(
    function: FunctionType,
    code: CodeType,
    closure: tuple[CellType, ...] | None,
    namespace: dict[str, Any] | None = None,
) -> list[tuple[Step, Step]]:
    """The steps, with inverses, that give ``function`` code and the closure that fits it. They change nothing yet.

    ``namespace`` are the globals that the code is to see, if others than now.

    Every prefix of them, undone in reverse order, leaves the function as it was; `setattr` comes last each way, since
    it is what tells the interpreter to forget what it knew of the function, and it wants the closure to fit.
    """
    if _CLOSURE is None or _CODE is None or _GLOBALS is None:
        raise RuntimeError("closures cannot be exchanged on this interpreter")
    old = function.__code__
    return [
        (IDLE, (setattr, function, "__code__", old)),
        *_point(_field(function, _CLOSURE), function.__closure__, closure),
        *_point(_field(function, _GLOBALS), function.__globals__, namespace or function.__globals__),
        *_point(_field(function, _CODE), old, code),
        ((setattr, function, "__code__", code), IDLE),
    ]


def _point(field: ctypes.c_void_p, old: object, new: object) -> list[tuple[Step, Step]]:
    """Exchanges one pointer that owns what it points to; the steps themselves keep both alive until then."""
    if old is new:
        return []
    keep, drop = ctypes.pythonapi.Py_IncRef, ctypes.pythonapi.Py_DecRef
    pairs: list[tuple[Step, Step]] = []
    if new is not None:
        pairs.append(((keep, ctypes.py_object(new)), (drop, ctypes.py_object(new))))
    pairs.append(((setattr, field, "value", _address(new)), (setattr, field, "value", _address(old))))
    if old is not None:
        pairs.append(((drop, ctypes.py_object(old)), (keep, ctypes.py_object(old))))
    return pairs


def _address(value: object) -> int | None:
    return None if value is None else id(value)

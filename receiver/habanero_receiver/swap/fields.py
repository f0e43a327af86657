"""The one place that writes a field which Python shows as read-only: a function's closure.

A living function must get new code and a closure that fits it while it stays the same object. CPython offers no way to
assign ``__closure__``, so the pointer is exchanged in place. Where the field lies is found out once, by looking for a
known closure in a function made for it; where it is not found the engine refuses such changes instead.
"""

from __future__ import annotations

import ctypes
import sys
from types import CellType, FunctionType

_POINTER = ctypes.sizeof(ctypes.c_void_p)


def _find_offset() -> int | None:
    """The byte offset of the closure pointer in a function object, or None where it cannot be told."""
    if sys.implementation.name != "cpython" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None
    first, second = _sample(1), _sample(2)
    slots = range(2 * _POINTER, FunctionType.__basicsize__, _POINTER)
    offsets = [offset for offset in slots if all(_read(f, offset) == id(f.__closure__) for f in (first, second))]
    return offsets[0] if len(offsets) == 1 else None


def _sample(value: int) -> FunctionType:
    def sample() -> int:
        return value

    assert isinstance(sample, FunctionType)
    return sample


def _read(function: FunctionType, offset: int) -> int | None:
    return ctypes.c_void_p.from_address(id(function) + offset).value


_OFFSET = _find_offset()
available = _OFFSET is not None
"""Whether closures can be exchanged on this interpreter."""


def set_closure(function: FunctionType, cells: tuple[CellType, ...] | None) -> None:
    """Exchanges the closure of a living function. The caller assigns code that fits it right after.

    Runs no bytecode of others and frees nothing that the caller does not hold: keep the old closure until then.
    """
    if _OFFSET is None:
        raise RuntimeError("closures cannot be exchanged on this interpreter")
    field = ctypes.c_void_p.from_address(id(function) + _OFFSET)
    old = field.value
    if cells is not None:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(cells))
    field.value = None if cells is None else id(cells)
    if old is not None:
        ctypes.pythonapi.Py_DecRef(ctypes.cast(old, ctypes.py_object))

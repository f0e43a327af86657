"""Moves a living function to new code: the assignments that do it, and their inverses, worked out beforehand."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from types import CellType, CodeType, FunctionType
from typing import Any

from habanero_receiver.swap.diff import docstring
from habanero_receiver.swap.finding.live import cell_content
from habanero_receiver.swap.kinds import is_a, own_attribute
from habanero_receiver.swap.undo import Step, UndoLog, restore_mapping

from . import fields
from .copies import is_copied

KINDS = 0x20 | 0x80 | 0x100 | 0x200
"""inspect's flags of generators, coroutines, iterable coroutines and asynchronous generators."""
_BORN_WITH = ("__defaults__", "__kwdefaults__", "__annotations__", "__doc__", "__type_params__")
"""What a ``def`` statement gives a function beside its code and closure."""
_NAMES = ("__name__", "__qualname__")


class ClosureError(Exception):
    """The living function's closure lacks what its new code wants. The argument says what."""


def patch(
    function: FunctionType, new: CodeType, extra: Mapping[str, CellType] | None = None
) -> list[tuple[Step, Step]]:
    """The steps, with inverses, that make ``function`` run ``new`` at its next call.

    ``extra`` are cells for free variables that the closure lacks. Raises ClosureError for one that has no value.
    """
    old = function.__code__
    cells = closure_for(function, new, extra or {})
    other_kind = bool((new.co_flags ^ old.co_flags) & KINDS)
    pairs: list[tuple[Step, Step]] = []
    if fields.available and (cells is not function.__closure__ or other_kind):
        pairs.extend(fields.exchange(function, new, cells))
    else:
        put = (_assign_other_kind, function) if other_kind else (setattr, function, "__code__")
        pairs.append(((*put, new), (*put, old)))
    before, after = docstring(old), docstring(new)
    if before != after and function.__doc__ == before and not is_copied(function, "__doc__"):
        pairs.append(((setattr, function, "__doc__", after), (setattr, function, "__doc__", before)))
    return pairs


def closure_for(function: FunctionType, new: CodeType, extra: Mapping[str, CellType]) -> tuple[CellType, ...] | None:
    """The closure for ``new``, by name, from the function's own cells and ``extra``."""
    own = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    cells = {**type_cells(function), **extra, **own}
    if function.__code__.co_freevars == new.co_freevars:
        return function.__closure__
    missing = [name for name in new.co_freevars if name not in cells]
    if missing:
        raise ClosureError(
            f"its new code reads {', '.join(missing)} of the function around it, "
            "which the living function was not given a value for"
        )
    if not fields.available:
        raise ClosureError("this interpreter does not let the closure of a living function change")
    return tuple(cells[name] for name in new.co_freevars) or None


def _assign_other_kind(function: FunctionType, code: CodeType) -> None:
    """Where fields cannot be written: newer Pythons warn of a function that becomes another kind."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        function.__code__ = code


def transplant(source: FunctionType, target: FunctionType, extra: Mapping[str, CellType]) -> list[tuple[Step, Step]]:
    """The steps that give the living ``target`` all that the newly made ``source`` was born with."""
    born = {**extra, **dict(zip(source.__code__.co_freevars, source.__closure__ or (), strict=True))}
    pairs = patch(target, source.__code__, born)
    renamed = source.__code__.co_name != target.__code__.co_name  # of a lambda that is a ``def`` now, or was one
    for name in (*_BORN_WITH, *(_NAMES if renamed else ())):
        old, new = getattr(target, name, None), getattr(source, name, None)  # older Pythons have no type parameters
        if old is not new:
            pairs.append(((setattr, target, name, new), (setattr, target, name, old)))
    return pairs


def become(source: FunctionType, target: FunctionType) -> list[tuple[Step, Step]]:
    """The steps that make ``target`` all that ``source`` is, its closure and attributes included.

    Where it calls itself, by a cell of its own, it is the target. Raises ClosureError where this interpreter does not
    let a closure change.
    """
    if not fields.available:
        raise ClosureError("this interpreter does not let the closure of a living function change")
    pairs = fields.exchange(target, source.__code__, source.__closure__, source.__globals__)
    attributes, held = dict(source.__dict__), dict(target.__dict__)
    pairs.append(((restore_mapping, target.__dict__, attributes), (restore_mapping, target.__dict__, held)))
    for cell in source.__closure__ or ():
        if any(content is source for content in cell_content(cell)):
            pairs.append(((setattr, cell, "cell_contents", target), (setattr, cell, "cell_contents", source)))
    home = () if _says_another_home(target) else ("__module__",)
    for name in (*_BORN_WITH, *_NAMES, *home):
        old, new = getattr(target, name, None), getattr(source, name, None)
        if old is not new:
            pairs.append(((setattr, target, name, new), (setattr, target, name, old)))
    return pairs


def _says_another_home(function: FunctionType) -> bool:
    """Whether its module was set since it was made: packages name themselves as the home of what they show."""
    wrapped = function.__dict__.get("__wrapped__")
    return function.__module__ not in (function.__globals__.get("__name__"), own_attribute(wrapped, "__module__"))


def apply(pairs: list[tuple[Step, Step]], log: UndoLog) -> None:
    """Does prepared steps as one."""
    log.do_all([step for step, _ in pairs], [inverse for _, inverse in pairs])


def type_cells(definition: FunctionType | type) -> dict[str, CellType]:
    """Cells with the type parameters of a function or class, by name."""
    return {parameter.__name__: CellType(parameter) for parameter in getattr(definition, "__type_params__", ())}


def class_cell(owner: type) -> dict[str, CellType]:
    """What a method of ``owner`` can close over by itself: ``__class__``, and type parameters by name."""
    return {"__class__": CellType(owner), **type_cells(owner)}


def is_plain(value: Any) -> bool:
    """Whether ``value`` is an object that nothing can change: safe to compare, to compute with and to replace."""
    if is_a(value, (str, bytes, int, float, complex, bool, type(None), type(Ellipsis), range)):
        return type(value).__module__ == "builtins"
    if type(value) in (tuple, frozenset):
        return all(is_plain(item) for item in value)
    return False

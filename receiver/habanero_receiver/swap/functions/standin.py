"""Puts a copy of a function where a new wrapper holds it, so that the function itself can become the wrapper.

A decorator that is new wraps the very function that others hold, and they should go on as what is wrapped. The wrapper
calls the copy then. Only what the wrapper holds by itself is changed: its cells, attributes and defaults, and those of
functions in these. Where something else in it holds the function (a table by function), nothing is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CellType, FunctionType
from typing import Any

from habanero_receiver.swap.finding.live import cell_content, reachable
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.undo import Step

Place = tuple[FunctionType, CellType | str]
"""A function that holds another, and where: a cell of its closure, or the name of an attribute."""


def stand_in(wrapper: FunctionType, function: FunctionType) -> list[tuple[Step, Step]] | None:
    """The steps, with inverses, by which ``wrapper`` calls a copy of ``function`` as it is now; None if it cannot."""
    places, others = [*_places(wrapper, function)], [*_other_holders(wrapper, function)]
    if others or not places:
        return None
    copy = _copy_of(function)
    pairs: list[tuple[Step, Step]] = []
    for holder, place in places:
        if is_a(place, str):
            put: Any = holder.__dict__.__setitem__
            pairs.append(((put, place, copy), (put, place, function)))
        else:
            pairs.append(((setattr, place, "cell_contents", copy), (setattr, place, "cell_contents", function)))
    return pairs


def _places(wrapper: FunctionType, function: FunctionType) -> Iterator[Place]:
    for holder in _layers(wrapper, function):
        for cell in holder.__closure__ or ():
            if any(content is function for content in cell_content(cell)):
                yield holder, cell
        yield from ((holder, name) for name, value in holder.__dict__.items() if value is function)


def _layers(wrapper: FunctionType, function: FunctionType) -> list[FunctionType]:
    """The wrapper, and the functions that it holds, from the outside to ``function``."""
    found: dict[int, FunctionType] = {}
    waiting = [wrapper]
    while waiting:
        layer = waiting.pop()
        if layer is function or id(layer) in found:
            continue
        found[id(layer)] = layer
        held = [content for cell in layer.__closure__ or () for content in cell_content(cell)]
        waiting += [value for value in (*held, *layer.__dict__.values()) if is_a(value, FunctionType)]
    return list(found.values())


def _other_holders(wrapper: FunctionType, function: FunctionType) -> Iterator[object]:
    """What else than its layers leads from the wrapper to the function."""
    for layer in _layers(wrapper, function):
        held = [content for cell in layer.__closure__ or () for content in cell_content(cell)]
        defaults = (*(layer.__defaults__ or ()), *(layer.__kwdefaults__ or {}).values())
        parts = [part for part in (*held, *layer.__dict__.values()) if not is_a(part, FunctionType)]
        for item in reachable([*parts, *defaults], frozenset()):
            if item is function:
                yield layer


def _copy_of(function: FunctionType) -> FunctionType:
    closure = function.__closure__
    copy = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, closure)
    for name in ("__kwdefaults__", "__annotations__", "__qualname__", "__module__", "__doc__", "__type_params__"):
        if hasattr(function, name):  # older Pythons have no type parameters
            setattr(copy, name, getattr(function, name))
    copy.__dict__.update(function.__dict__)
    return copy

"""Puts a copy of a function where a new wrapper holds it, so that the function itself can become the wrapper.

A decorator that is new wraps the very function that others hold, and they should go on as what is wrapped. The wrapper
calls the copy then. Only what the wrapper holds by itself is changed: its cells, attributes and defaults, and those of
functions in these. Where something else in it holds the function (a table by function), nothing is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CellType, FunctionType
from typing import Any

from habanero_receiver.swap.finding.live import cell_content, layers, leads_to
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.undo import Step

Place = tuple[FunctionType, CellType | str]
"""A function that holds another, and where: a cell of its closure, or the name of an attribute."""


def stand_in(wrapper: FunctionType, function: FunctionType) -> list[tuple[Step, Step]] | None:
    """The steps, with inverses, by which ``wrapper`` calls a copy of ``function`` as it is now; None if it cannot."""
    places = [*_places(wrapper, function)]
    if not places or _may_reach_it_otherwise(wrapper, function):
        return None
    copy = copy_of(function)
    pairs: list[tuple[Step, Step]] = []
    for holder, place in places:
        if is_a(place, str):
            put: Any = holder.__dict__.__setitem__
            pairs.append(((put, place, copy), (put, place, function)))
        else:
            pairs.append(((setattr, place, "cell_contents", copy), (setattr, place, "cell_contents", function)))
    return pairs


def _places(wrapper: FunctionType, function: FunctionType) -> Iterator[Place]:
    for holder in layers(wrapper, function):
        for cell in holder.__closure__ or ():
            if any(content is function for content in cell_content(cell)):
                yield holder, cell
        yield from ((holder, name) for name, value in holder.__dict__.items() if value is function)


def _may_reach_it_otherwise(wrapper: FunctionType, function: FunctionType) -> bool:
    """Whether something else in its layers leads from the wrapper to the function, or to too much to be sure."""
    others: list[object] = []
    for layer in layers(wrapper, function):
        held = [content for cell in layer.__closure__ or () for content in cell_content(cell)]
        others += [part for part in (*held, *layer.__dict__.values()) if not is_a(part, FunctionType)]
        others += [*(layer.__defaults__ or ()), *(layer.__kwdefaults__ or {}).values()]
    return leads_to(others, function, unsure=True)


def copy_of(function: FunctionType) -> FunctionType:
    """Another function that does the same, and has the same attributes."""
    closure = function.__closure__
    copy = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, closure)
    for name in ("__kwdefaults__", "__annotations__", "__qualname__", "__module__", "__doc__", "__type_params__"):
        if hasattr(function, name):  # older Pythons have no type parameters
            setattr(copy, name, getattr(function, name))
    copy.__dict__.update(function.__dict__)
    return copy

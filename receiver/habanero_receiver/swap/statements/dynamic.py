"""Names that statements bind by way of ``globals()``, ``vars()``, ``locals()`` or ``setattr``: the text does not tell.

What such a statement bound is told by what lives: functions and classes that its code made, and names that stand in it
as text. It reads, and changes nothing. A plain value under a name that was put together is not found.
"""

from __future__ import annotations

import dis
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.kinds import function_of, is_a

_NAMESPACES = frozenset({"globals", "vars", "locals"})
_BY_NAME = _NAMESPACES | {"setattr"}
_NOT_BOUND = frozenset({"__annotations__", "__module__", "__qualname__", "__builtins__", "__classcell__"})


def binds_by_name(unit: Unit) -> bool:
    """Whether a statement may bind names that its text does not show."""
    return unit.kind not in ("function", "class") and not _BY_NAME.isdisjoint(unit.reads)


def bound_by_name(namespace: Mapping[str, Any], unit: Unit) -> set[str]:
    """The names of a living namespace that a statement which has run bound so, as far as that can be told."""
    if not binds_by_name(unit):
        return set()
    codes = {(code.co_linetable, code) for code in codes_in(unit.code)}
    speaks = not _NAMESPACES.isdisjoint(unit.reads)  # ``setattr`` is mostly about other objects
    texts = {text for code in codes_in(unit.code) for text in _texts(code.co_consts) if speaks}
    return {name for name, value in namespace.items() if name in texts or _is_made_by(value, codes)} - _NOT_BOUND


def bound_since(namespace: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """The names that are bound to other objects than they were."""
    return [
        name
        for name, value in namespace.items()
        if name not in _NOT_BOUND and (name not in before or before[name] is not value)
    ]


def bound_by_functions(units: Iterable[Unit], names: set[str]) -> set[str]:
    """Which of the names functions of the module bind with ``global``."""
    speaking = (code for unit in units for code in codes_in(unit.code) if not names.isdisjoint(code.co_names))
    steps = (step for code in speaking for step in dis.get_instructions(code))
    return {str(step.argval) for step in steps if step.opname == "STORE_GLOBAL"}


def _is_made_by(value: Any, codes: set[tuple[bytes, CodeType]]) -> bool:
    function = function_of(value)
    return is_a(function, FunctionType) and (function.__code__.co_linetable, function.__code__) in codes


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """The code and all that is made in it, at any depth."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_in(constant)


def _texts(constants: tuple[Any, ...]) -> Iterator[str]:
    for constant in constants:
        if type(constant) is str:
            yield constant
        elif type(constant) is tuple:
            yield from _texts(constant)

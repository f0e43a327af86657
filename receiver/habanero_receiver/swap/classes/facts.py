"""What the compiler writes into a class beside its members: docstring, first line, attributes that methods assign.

It stands in the code of the class body as constants, so it can be brought in line without running anything, for classes
inside of blocks and functions too. What was set otherwise since stays. A class that takes nothing of it (an older
Python knows only docstrings) is left alone.
"""

from __future__ import annotations

import dis
from collections import defaultdict
from collections.abc import Iterator
from types import CodeType, ModuleType
from typing import Any

from habanero_receiver.swap.diff import pair_classes

_LINE = "__firstlineno__"
_ATTRIBUTES = "__static_attributes__"


class ClassIndex:
    """The living classes of one module, by qualified name."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self._by_name: dict[str, list[type]] = defaultdict(list)

    def add(self, cls: type) -> None:
        """Takes a class in if it is of this module, or bound in it by its name: it can say that it is of another."""
        if cls.__module__ == self.module.__name__ or vars(self.module).get(cls.__qualname__) is cls:
            self._by_name[cls.__qualname__].append(cls)

    def assignments(self, old: CodeType, new: CodeType) -> Iterator[tuple[type, str, Any]]:
        """What changes of the classes whose bodies stand in ``old``, and in ``new`` now: class, name, value."""
        for before, after in pair_classes(old, new):
            was, now = _facts(before), _facts(after)
            for cls in self._by_name.get(after.co_qualname, ()) if was != now else ():
                for name in was if _is_of(cls, was) else ():
                    if was[name] != now[name] and _has(cls, name, was):
                        yield cls, name, now[name]


def _facts(body: CodeType) -> dict[str, Any]:
    found: dict[str, Any] = {"__doc__": None}
    constant: Any = None
    for step in dis.get_instructions(body):
        if step.opname == "STORE_NAME" and step.argval in ("__doc__", _LINE, _ATTRIBUTES):
            found[step.argval] = constant
        constant = step.argval if step.opname == "LOAD_CONST" else None
    return found


def _is_of(cls: type, facts: dict[str, Any]) -> bool:
    """Whether the class is the one of that body, and not of another statement for the same name."""
    line = facts.get(_LINE)
    return bool(vars(cls).get(_LINE, line) == line)  # it has none if it was told to be of another module


def _has(cls: type, name: str, facts: dict[str, Any]) -> bool:
    """Whether the class still has what the body gave it; the order of attributes is the compiler's whim."""
    held = vars(cls).get(name)
    if name == _ATTRIBUTES:
        return held is not None and {*held} == {*facts[name]}
    return bool(held == facts[name])

"""Tells which attributes code sets on a function or class that it is given, and which it sets since a swap, or no more.

That is read from the code: `cls.size = 3`, `setattr(cls, "size", 3)`, and entries with the name of a special method
(`namespace["__eq__"] = ...`), which become attributes of a class and nothing else. It runs nothing, and what is set
under a name that the code computes is not found.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

from habanero_receiver.swap.diff import functions_in
from habanero_receiver.swap.kinds import function_of, is_a

Versions = Mapping[tuple[str, str], tuple[CodeType | None, CodeType | None]]
"""The old and the new code of functions and methods that changed, by module and qualified name; None where there is
none."""


def set_by(code: CodeType) -> set[str]:
    """The attributes that code sets on what it was given."""
    given = code.co_varnames[: code.co_argcount]
    found, target = set(), ""
    for step in dis.get_instructions(code):
        if step.opname == "STORE_ATTR" and target in given and target != "self":
            found.add(str(step.argval))
        names = step.argval if is_a(step.argval, tuple) else (step.argval,)
        target = str(names[-1]) if step.opname.startswith("LOAD_FAST") else ""
    return found


class Marks:
    """What the functions of a swap set otherwise than they did."""

    def __init__(self, versions: Versions) -> None:
        self.versions = versions
        self._found: dict[tuple[str, str], tuple[frozenset[str], frozenset[str]]] = {}

    def otherwise(self, maker: FunctionType) -> tuple[frozenset[str], frozenset[str]]:
        """The attributes that a function or what it calls sets only in the new form, and those only in the old one."""
        home = (maker.__module__, maker.__qualname__)
        if home not in self._found:
            old, new = (self._set_through(maker, side) for side in (0, 1))
            self._found[home] = (new - old, old - new)
        return self._found[home]

    def _set_through(self, maker: FunctionType, side: int) -> frozenset[str]:
        """All that is set by a function and what it leads to by name: in its module, and wherever something changed.

        Methods are those of the classes that are named: the objects that they are called on are not known.
        """
        waiting, names = [self._code_of(maker, side)], set[str]()
        found, seen = set[str](), set[int]()
        while waiting:
            for code in waiting:
                for inner in (code, *functions_in(code)) if code is not None else ():
                    found.update(set_by(inner), _entered_by(inner))
                    names.update(inner.co_names)
            seen.update(map(id, waiting))
            changed = (v[side] for (_, path), v in self.versions.items() if path.rpartition(".")[2] in names)
            near = (self._code_of(function, side) for function in _named_by(names, maker.__globals__))
            waiting = [code for code in (*changed, *near) if code is not None and id(code) not in seen]
        return frozenset(found)

    def _code_of(self, function: FunctionType, side: int) -> CodeType | None:
        version = self.versions.get((function.__module__, function.__qualname__))
        return function.__code__ if version is None else version[side]


def _named_by(names: set[str], space: Mapping[str, Any]) -> Iterator[FunctionType]:
    """The functions of a module, and the methods of its classes, that these names could mean."""
    for name in names & space.keys():
        value = space[name]
        if is_a(value, FunctionType) and value.__globals__ is space:
            yield value
        elif is_a(value, type) and value.__module__ == space.get("__name__"):
            members = (function_of(vars(value)[n]) for n in names & vars(value).keys())
            yield from (member for member in members if is_a(member, FunctionType))


def _entered_by(code: CodeType) -> Iterator[str]:
    """The attributes that code sets by their names as text."""
    naming, text = False, ""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            naming = step.argval == "setattr"
        constant = step.argval if step.opname == "LOAD_CONST" and is_a(step.argval, str) else ""
        if naming and constant.isidentifier():
            naming = False
            yield constant
        elif step.opname == "STORE_SUBSCR" and text.startswith("__") and text.endswith("__"):
            yield text
        text = constant

"""Finds what code would do if it ran again: each function that it runs, and with what objects.

Methods are found by the classes of the objects that they are called on; where such an object is not known, the name is
noted (`Ran.asked`), for methods of the classes that the code deals with. Code of the app alone is followed; nothing of
it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CodeType, FunctionType
from typing import Any

from habanero_receiver.swap.finding.live import cell_content

from . import calling, instructions
from .machine import Decoded, Machine, decoded
from .meaning import Meaning
from .ran import Ran
from .values import UNKNOWN, Born, Home, Made, Value, held

_INSTRUCTIONS = {**instructions.INSTRUCTIONS, **calling.INSTRUCTIONS}
_MAX_DEPTH = 30
_MAX_FORMS = 8
"""How many different arguments one function is looked at with; after these, only the classes of objects count."""


class Runs:
    """All that is found of these in one swap. ``code_of`` gives the code that a function will have."""

    def __init__(self, is_own: Callable[[str], bool], code_of: Callable[[FunctionType], CodeType]) -> None:
        self.is_own, self.code_of = is_own, code_of
        self._decoded: dict[int, tuple[CodeType, Decoded]] = {}
        self._known: dict[Any, Ran] = {}
        self._forms: dict[int, int] = {}
        self._depth = 0

    def statement(self, code: CodeType, names: Mapping[str, Any], inner: Mapping[str, Any]) -> Ran:
        """A statement of a module, or a member of a class with the names of the class's body."""
        return self._ran(("unit", id(code)), lambda: Ran(code, names, inner, None, {}))

    def function(self, function: FunctionType, given: Mapping[str, Value] | None = None) -> Ran:
        """A living function, with what is known of its parameters."""
        code = self.code_of(function)
        cells = dict(zip(function.__code__.co_freevars, map(cell_content, function.__closure__ or ()), strict=False))
        around = {name: held(content[0], None) for name, content in cells.items() if content}
        home = (function.__module__ or "", function.__qualname__)
        return self._form(code, function.__globals__, home, {**around, **(given or {})}, id(function.__closure__))

    def born(self, born: Born, given: Mapping[str, Value] | None = None) -> Ran:
        """A function that is made when other code runs."""
        home = (str(born.names.get("__name__")), born.code.co_qualname)
        return self._form(born.code, born.names, home, {**born.cells, **(given or {})}, 0)

    def _form(self, code: CodeType, names: Mapping[str, Any], home: Home, given: dict[str, Value], which: int) -> Ran:
        key = (id(code), which, tuple((name, value.key()) for name, value in given.items()))
        if key not in self._known:
            self._forms[id(code)] = self._forms.get(id(code), 0) + 1
            if self._forms[id(code)] > _MAX_FORMS:
                given = {name: _coarse(value) for name, value in given.items()}
                key = (id(code), which, tuple((name, value.key()) for name, value in given.items()))
        return self._ran(key, lambda: Ran(code, names, {}, home, given))

    def _ran(self, key: Any, make: Callable[[], Ran]) -> Ran:
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    def look(self, ran: Ran) -> Ran:
        """Goes through its code, once; not where it is being gone through, or too deep."""
        if not ran.done and self._depth < _MAX_DEPTH:
            ran.done = True
            self._depth += 1
            try:
                program, world = self._program(ran.code), Meaning(self, ran)
                ran.result = Machine(ran.code, program, world, ran.given, ran.names).run()
            finally:
                self._depth -= 1
        return ran

    def _program(self, code: CodeType) -> Decoded:
        if id(code) not in self._decoded:
            self._decoded[id(code)] = (code, decoded(code, _INSTRUCTIONS))
        return self._decoded[id(code)][1]

    def owns(self, value: Any) -> bool:
        """Whether a function or class is the app's."""
        return bool(self.is_own(value.__module__ or ""))


def _coarse(value: Value) -> Value:
    return UNKNOWN if value.cls is None else Made(value.cls)

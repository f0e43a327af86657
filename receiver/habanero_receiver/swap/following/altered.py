"""What a swap makes of functions and classes: which of them do something else when they are called.

By name, as far as planning tells: functions and methods by their qualified names, those inside functions too; lambdas
of statements that bind names by their code. A change of annotations, of a docstring or of places in the source is none.
It runs nothing.
"""

from __future__ import annotations

import dis
import enum
from collections.abc import Iterable, Mapping
from types import CodeType, FunctionType
from typing import Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.classes.shapes import special_kind
from habanero_receiver.swap.diff import Match, functions_in, match_units, pair_code
from habanero_receiver.swap.interpreting.values import Home
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.plan import ModulePlan

from .behaviour import does_the_same
from .makers import versions_of
from .marks import Marks


class Altered:
    """All of one swap."""

    def __init__(self, plans: Iterable[ModulePlan]) -> None:
        self.code: set[Home] = set()
        """Functions, by their qualified names, that do something else when they are called; classes that make other
        instances; and classes that are new."""
        self.making: set[Home] = set()
        """Functions that do the same, and make functions that do not."""
        self.members: dict[tuple[str, str, str], None] = {}
        """Methods that classes gain or lose: module, class, name."""
        self.lambdas: set[tuple[str, CodeType]] = set()
        """Lambdas of kept statements that bind names, in both forms, with their modules."""
        self._former: dict[int, Unit] = {}
        self._new: dict[Home, CodeType] = {}
        versions: dict[Home, tuple[CodeType | None, CodeType | None]] = {}
        for plan in plans:
            name = plan.module.__name__
            self._compare(name, plan.matches, vars(plan.module))
            versions |= versions_of(name, plan.matches)
        self.marks = Marks(versions)
        """The functions and methods that changed, came or went, in both forms."""
        self.tops = frozenset(
            (home, path.partition(".")[0]) for home, path, *_ in (*self.code, *self.making, *self.members)
        ) | {(home, code.co_qualname) for home, code in self.lambdas}
        """The names at the top of modules by which any of that is reached."""
        self._written: dict[Home, dict[Home, None]] = {}
        self._names: dict[str, set[str]] = {}
        changed = [home for home, version in versions.items() if None not in version]
        for home, path, *_ in (*self.tops, *changed):
            self._names.setdefault(home, set()).add(path.partition(".")[0])

    def names_of(self, module: str) -> set[str]:
        """The names at the top of a module by which what changed in it is reached."""
        return self._names.get(module, set())

    def former(self, unit: Unit) -> Unit | None:
        """The old form of a kept statement of which a lambda changed."""
        return self._former.get(id(unit))

    def _compare(self, module: str, matches: Iterable[Match], space: Mapping[str, Any]) -> None:
        for match in matches:
            if match.new is None or match.new.kind in ("import", "assign"):
                self._compare_lambdas(module, match)
                continue
            if match.old is None or match.old.kind != match.new.kind:
                if match.new.kind != "other":
                    self.code.add((module, match.new.names[0]))
                continue
            living = space.get(match.new.names[0]) if match.new.names else None
            if match.new.kind == "class":
                self._compare_class(module, match.old, match.new, living)
            else:
                self._compare_code(module, match.old, match.new)

    def _compare_lambdas(self, module: str, match: Match) -> None:
        if match.old is None or match.new is None or not match.same:
            return
        for pair in pair_code(match.old.code, match.new.code):
            if pair.new.co_name == "<lambda>" and not does_the_same(pair.old, pair.new):
                self.lambdas |= {(module, pair.old), (module, pair.new)}
                self._former[id(match.new)] = match.old

    def _compare_class(self, module: str, old: Unit, new: Unit, living: Any) -> None:
        qualname = living.__qualname__ if is_a(living, type) else new.spelled
        if is_a(living, type) and _fields_differ(living, old, new):
            self.code.add((module, qualname))
        inside = vars(living) if is_a(living, type) else {}
        matches = match_units(old.members, new.members)
        for match in matches:
            ends = [unit for unit in (match.old, match.new) if unit is not None]
            if len(ends) == 1 or ends[0].kind != ends[1].kind:
                if is_a(living, type) and special_kind(living) and any(map(_checks, ends)):
                    self.code.add((module, qualname))
                for unit in ends:
                    self.members.update(dict.fromkeys((module, qualname, name) for name in unit.names))
        self._compare(module, [m for m in matches if m.old is not None], inside)

    def _compare_code(self, module: str, old: Unit, new: Unit) -> None:
        if old.kind == "function" and old.outline != new.outline and not does_the_same(old.code, new.code):
            for code in functions_in(new.code):
                self._note_changed(module, code)
        for pair in pair_code(old.code, new.code):
            self._new[module, pair.old.co_qualname] = pair.new
            if not does_the_same(pair.old, pair.new):
                self._note_changed(module, pair.old)

    def _note_changed(self, module: str, code: CodeType) -> None:
        path = code.co_qualname
        self.code.add((module, path))
        while ".<locals>." in path:
            path = path.rpartition(".<locals>.")[0]
            self.making.add((module, path))

    def code_of(self, function: FunctionType) -> CodeType:
        """What is looked at of a living function: where it does the same, the form that makes what it will make."""
        home = (function.__module__, function.__qualname__)
        return self._new.get(home, function.__code__) if home in self.making - self.code else function.__code__

    def written_by(self, home: Home) -> dict[Home, None]:
        """The names of its module that the new form of a function binds."""
        if home not in self._written:
            code = self._new.get(home)
            steps = () if code is None else dis.get_instructions(code)
            self._written[home] = {
                (home[0], str(step.argval)): None for step in steps if step.opname == "STORE_GLOBAL"
            }
        return self._written[home]


def _checks(member: Unit) -> bool:
    """Whether a method checks what instances are made with, as its decorator says (``@field_validator("name")``)."""
    return member.decorate is not None and any("validator" in name for name in member.decorate.co_names)


def _fields_differ(cls: type, old: Unit, new: Unit) -> bool:
    """Whether instances of a class that makes its constructor from its body are made otherwise."""
    if not special_kind(cls) or issubclass(cls, enum.Enum):
        return False
    was, now = ({u.key: u.outline for u in unit.members if u.kind == "assign"} for unit in (old, new))
    return was != now

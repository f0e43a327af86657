"""Computes again what was computed from a binding that changed, where that is a plain value and nothing else did it.

Each is evaluated twice, once with the old binding and once with the new: only what equals the former may become the
latter. Evaluation reads names and never calls anything, so it can be seen by no one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import CodeType, FunctionType
from typing import Any

from .build import PURE, Unit
from .diff import Match
from .functions import is_plain
from .layouts import LayoutError
from .live import reachable
from .scope import Scope
from .shapes import can_follow, special_kind
from .transaction import Transaction
from .twins import Reshape

_MISSING: Any = object()


@dataclass(slots=True)
class Derived:
    """What follows from names that meant ``old`` and mean ``new`` now, in one module or class."""

    scope: Scope
    old: dict[str, Any]
    new: dict[str, Any]
    work: Transaction

    def of_assignment(self, unit: Unit, live: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
        """The name, live value and new value of a plain constant; None if it is none, or was set otherwise since."""
        if unit.kind != "assign" or unit.effect != PURE or len(unit.names) != 1:
            return None
        name = unit.names[0]
        value = live.get(name, _MISSING)
        if not is_plain(value):
            return None
        try:
            was, now = self._evaluate(unit.code, self.old)[name], self._evaluate(unit.code, self.new)[name]
        except Exception:  # a constant that cannot be computed any more is stale, no more
            return None
        if type(was) is not type(value) or was != value or not is_plain(now):
            return None
        return name, value, now

    def of_function(self, unit: Unit, living: Any) -> bool:
        """Lets the plain defaults of a living function follow. Returns whether nothing stale is left."""
        code = unit.bare or unit.code
        function = _function_of(unit, living)
        if function is None or _calls(code):
            return False
        try:
            was, now = (self._evaluate(code, names)[unit.names[0]] for names in (self.old, self.new))
        except Exception:  # as above
            return False
        self._follow_defaults(function, was, now)
        return unit.decorate is None

    def _follow_defaults(self, function: FunctionType, was: Any, now: Any) -> None:
        changed = False
        held, before, after = (f.__defaults__ or () for f in (function, was, now))
        if len(held) == len(before) == len(after):
            defaults = tuple(map(_choose, held, before, after))
            if any(a is not b for a, b in zip(defaults, held, strict=True)):
                self.work.log.set_attribute(function, "__defaults__", defaults)
                changed = True
        by_name, were, are = (f.__kwdefaults__ or {} for f in (function, was, now))
        if by_name.keys() == were.keys() == are.keys():
            chosen = {name: _choose(by_name[name], were[name], are[name]) for name in by_name}
            if any(chosen[name] is not by_name[name] for name in by_name):
                self.work.log.set_attribute(function, "__kwdefaults__", chosen)
                changed = True
        if changed:
            self.work.redefined.append(function)

    def of_class(self, unit: Unit) -> bool:
        """Lets the plain attributes of a living class follow, and its methods' defaults. Returns as `of_function`."""
        cls = self.scope.get(unit.names[0])
        if not isinstance(cls, type) or cls.__qualname__.rpartition(".")[2] != unit.spelled:
            return False
        if special_kind(cls):
            return self._of_special(unit, cls)
        inside = Derived(replace(self.scope, owner=cls), dict(self.old), dict(self.new), self.work)
        settled = True
        for member in unit.members:
            if not inside.old.keys() & {*member.reads}:
                continue
            if member.kind == "class":
                settled &= inside.of_class(member)
            elif member.kind == "function":
                settled &= inside.of_function(member, vars(cls).get(member.names[0]))
            else:
                settled &= inside._of_attribute(member, cls)
        return settled

    def _of_attribute(self, member: Unit, cls: type) -> bool:
        value = self.of_assignment(member, vars(cls))
        if value is None:
            return False
        name, old, new = value
        self.work.log.set_class_attribute(cls, name, new)
        self.old[name], self.new[name] = old, new
        return True

    def _of_special(self, unit: Unit, cls: type) -> bool:
        """A class that derives from its body does so again; if it cannot take that, it is stale."""
        names = self.old.keys()
        reads = [m for m in unit.members if m.kind != "function" and names & {*m.reads}]
        if not reads or not can_follow(cls, self.scope.is_own):
            return not reads
        members = tuple(Match(m._replace(outline="") if m in reads else m, m) for m in unit.members)
        try:
            Reshape(self.scope, unit, cls, members)(self.work)
        except LayoutError:
            return False
        return True

    def _evaluate(self, code: CodeType, given: dict[str, Any]) -> dict[str, Any]:
        names = {**self.scope.namespace(), **given}
        self.scope.run(code, names)
        return names


def _choose(live: Any, was: Any, now: Any) -> Any:
    follows = is_plain(live) and is_plain(now) and type(live) is type(was) and live == was
    return now if follows and now != live else live


def _function_of(unit: Unit, living: Any) -> FunctionType | None:
    """The living function of a ``def``, inside its decorators."""
    places = {(c.co_qualname, c.co_filename) for c in unit.code.co_consts if isinstance(c, CodeType)}
    for item in reachable([living], frozenset()):
        if isinstance(item, FunctionType) and (item.__code__.co_qualname, item.__code__.co_filename) in places:
            return item
    return None


def _calls(code: CodeType) -> bool:
    """Whether running code calls anything."""
    import dis

    return any(instruction.opname.startswith("CALL") for instruction in dis.get_instructions(code))

"""What the statements of one body, old and new, bind: of a living module, or of a living class in it.

A statement of the new code must see what it would see in a fresh process: what new statements before it bound, never
what only the old version did. And what only the old version bound is gone in the end, even where the text of a new
statement names it: a block need not bind all that it names. Which names those are is worked out while planning, as far
as the text tells; the rest shows when the statements run, and is noted then.

This file runs nothing, and changes nothing that is live but through `Names`, which statements of modules run with.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.diff import Match
from habanero_receiver.swap.kinds import is_a

from .binders import Binders, binders
from .dynamic import bound_by_functions, bound_by_name
from .scope import UNKNOWN, Scope


@dataclass(frozen=True, slots=True)
class Body:
    """One body under change, with its units in one match each, as `match_units` gives them."""

    scope: Scope
    old: Sequence[Unit]
    matches: Sequence[Match]
    binders: Binders
    bound: set[str] = field(default_factory=set)
    """The names that statements run in this swap have bound so far: noted inside the commit."""
    annotated: set[str] = field(default_factory=set)
    """The variables that these have annotated."""
    _was_bound: set[str] = field(default_factory=set)
    _first: dict[str, int] = field(default_factory=dict)
    """Where the new version first binds a name for sure."""
    _index: dict[int, int] = field(default_factory=dict)
    by_functions: set[str] = field(default_factory=set)
    """Names of the old version alone that functions of the new one bind, by ``global``."""

    @classmethod
    def of(cls, scope: Scope, old: Sequence[Unit], matches: Sequence[Match]) -> Body:
        """The body in which the units ``old`` give way."""
        body = cls(scope, old, matches, binders(old, matches))
        for unit in old:
            body._was_bound.update(names_of(scope, unit))
        for index, match in enumerate(matches):
            body._index[id(match.new)] = index
            for name in _settled(scope, match):
                body._first.setdefault(name, index)
        gone = body._was_bound - body.named_by_new() if scope.owner is None else set[str]()
        new = [match.new for match in matches if match.new is not None]
        body.by_functions.update(bound_by_functions(new, gone) if gone else ())
        return body

    def named_by_new(self) -> set[str]:
        """The names that the text of the new version binds."""
        return {name for match in self.matches if match.new is not None for name in match.new.names}

    def hidden_from(self, unit: Unit) -> frozenset[str]:
        """The names that the old version bound and, before ``unit``, the new one does not for sure."""
        index = self._index[id(unit)]
        return frozenset(name for name in self._was_bound if self._first.get(name, index) >= index)

    def among(self, old: Unit | None, new: Unit) -> tuple[bool, bool]:
        """Whether a ``def`` is the last of its name: in the old version, if it was there, and in the new one."""
        units = [match.new for match in self.matches if match.new is not None]
        return old is None or _is_last(old, self.old), _is_last(new, units)

    def former(self, unit: Unit) -> Unit | None:
        """The statement of another kind that bound the one name that ``unit`` binds, and goes."""
        gone = [match.old for match in self.matches if match.new is None and match.old is not None]
        found = [old for old in gone if old.names == unit.names and len(old.names) == 1 and old.kind != unit.kind]
        return found[-1] if found else None

    def leftovers(self) -> frozenset[str]:
        """The names of statements that go or run again, which no statement of the new version binds for sure."""
        gone = [match.old for match in self.matches if match.old is not None and not match.same]
        return frozenset(name for unit in gone for name in names_of(self.scope, unit) if name not in self._first)

    def stars(self) -> tuple[str, ...]:
        """The modules of which the new version imports all that is public, first ones first."""
        return tuple(item.module for m in self.matches if m.new for item in m.new.imports if item.name == "*")

    def names(self, hidden: frozenset[str]) -> MutableMapping[str, Any]:
        """The local names to run a statement with: of a class, a copy of its members."""
        if self.scope.owner is None:
            return Names(self.scope.globals, hidden, self.bound)
        members = {n: v for n, v in self.scope.namespace().items() if n not in hidden or n in self.bound}
        members["__annotations__"] = {}
        return members


def names_of(scope: Scope, unit: Unit) -> set[str]:
    """The names that a unit which has run may have bound, those included that its text does not show."""
    names = {*unit.names} - {"*"}
    names |= bound_by_name(scope.globals if scope.owner is None else scope.owner.__dict__, unit)
    for item in unit.imports:
        module = sys.modules.get(item.module)
        if item.name == "*" and module is not None:
            held = vars(module)
            names.update(n for n in _exported(held) if n in held and scope.get(n) is held[n])
    return names


def starred(stars: Sequence[str], name: str) -> Any:
    """What a name means that star imports of these modules alone bind; UNKNOWN if none does."""
    for module in reversed(stars):
        held = vars(sys.modules[module]) if module in sys.modules else {}
        if name in held and name in _exported(held):
            return held[name]
    return UNKNOWN


def _settled(scope: Scope, match: Match) -> set[str]:
    """The names that the new unit of a match is known to bind, without running it."""
    if match.new is None:
        return set()
    if match.new.certain:
        return {*match.new.names}
    if not match.same:
        return set()
    live = scope.globals if scope.owner is None else vars(scope.owner)
    return {name for name in names_of(scope, match.new) if name in live}


def _exported(namespace: dict[str, Any]) -> list[str]:
    exported = namespace.get("__all__")
    if exported is None:
        return [name for name in namespace if not name.startswith("_")]
    return [name for name in exported if is_a(name, str)]


class Names(MutableMapping[str, Any]):
    """The local names of a statement of a module: the module's namespace without what is ``hidden`` from it.

    What the statement binds goes to the module at once, since functions that it calls may read it there.
    """

    def __init__(self, namespace: dict[str, Any], hidden: frozenset[str], bound: set[str]) -> None:
        self._namespace, self._hidden, self.bound = namespace, hidden, bound
        self.annotations: dict[str, Any] = {}

    def _hides(self, name: str) -> bool:
        return name in self._hidden and name not in self.bound

    def __getitem__(self, name: str) -> Any:
        if name == "__annotations__":
            return self.annotations
        if not self._hides(name):
            return self._namespace[name]  # a KeyError has the interpreter look among the builtins
        builtins = self._namespace["__builtins__"]
        try:
            return (builtins if is_a(builtins, dict) else vars(builtins))[name]
        except KeyError:
            raise NameError(f"name {name!r} is not defined", name=name) from None

    def get(self, name: str, default: Any = None) -> Any:
        """As of any mapping: a hidden name is none of its keys."""
        return default if self._hides(name) else self._namespace.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._namespace and not self._hides(str(name))

    def __setitem__(self, name: str, value: Any) -> None:
        self._namespace[name] = value
        self.bound.add(name)

    def __delitem__(self, name: str) -> None:
        if self._hides(name):
            raise KeyError(name)
        del self._namespace[name]
        self.bound.discard(name)

    def __iter__(self) -> Iterator[str]:
        return iter([name for name in self._namespace if not self._hides(name)])

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _is_last(unit: Unit, units: Sequence[Unit]) -> bool:
    alike = [other for other in units if other.kind == unit.kind and other.names == unit.names]
    return alike[-1] is unit

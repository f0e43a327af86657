"""Values of class attributes that a swap changes, so that what was computed from them follows or is named.

A class stays the same object when its body changes, so whoever holds it needs nothing; but ``T = Settings.timeout * 2``
was computed. Found while staging: which attributes may change. Compared in the commit: which did. Values of enum
members count as attributes of their class. Methods do not: what they are called for is found by `influence`.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.kinds import instance_dict

MISSING: Any = object()
"""What an unbound name was bound to."""
Was = Mapping[str | int, Mapping[str, Any]]
"""By a module's name, or by a class's identity, what changed names were bound to."""


def lineage(value: Any) -> tuple[type, ...]:
    """The classes where attributes of a class or of an instance are looked up, told without running any code."""
    kind = type(value)
    mro: tuple[type, ...] = type.__getattribute__(value if issubclass(kind, type) else kind, "__mro__")
    return mro


@dataclass(slots=True)
class ClassVars:
    """Attributes of one living class that may change."""

    cls: type
    names: frozenset[str]
    around: tuple[type, ...]
    """The classes that it is written in."""
    _was: Mapping[str, Any] = field(default_factory=dict)
    _first: Mapping[str, Any] | None = None

    def look(self) -> None:
        """Remembers what they are."""
        self._was = self._values()
        self._first = self._was if self._first is None else self._first

    def past(self) -> Iterator[tuple[str, Any]]:
        """Name and value of those that are otherwise now than when it looked first."""
        was, now = self._first or {}, self._values()
        for name in self.names if self._first is not None else ():
            if was.get(name, MISSING) is not now.get(name, MISSING):
                yield name, was.get(name, MISSING)

    def value(self, name: str) -> Any:
        """What one of them is now."""
        return self._values().get(name, MISSING)

    def changes(self) -> Iterator[tuple[str, Any, Any]]:
        """Name, old and new value of those that changed since it looked last."""
        was, now = self._was, self._values()
        for name in self.names:
            if was.get(name, MISSING) is not now.get(name, MISSING):
                yield name, was.get(name, MISSING), now.get(name, MISSING)

    def _values(self) -> dict[str, Any]:
        if issubclass(self.cls, enum.Enum):
            return {name: member._value_ for name, member in self.cls._member_map_.items() if name in self.names}
        return {name: self.cls.__dict__[name] for name in self.names if name in self.cls.__dict__}


def find(
    old: Iterable[Unit],
    new: Iterable[Unit],
    space: Mapping[str, Any],
    moving: Collection[str],
    around: tuple[type, ...] = (),
) -> list[ClassVars]:
    """The attributes that may change of the classes of a body, and of those inside them.

    ``old`` and ``new`` are its units, ``space`` is what it binds, ``moving`` are names that may be bound otherwise.
    """
    before = {unit.names[0]: unit for unit in old if unit.kind == "class"}
    found: list[ClassVars] = []
    for unit in new:
        cls: Any = space.get(unit.names[0]) if unit.kind == "class" else None
        if issubclass(type(cls), type) and unit.names[0] in before:
            members = before[unit.names[0]].members
            inside = find(members, unit.members, cls.__dict__, moving, (*around, cls))
            names = _changed(members, unit.members, {*moving, *(item.cls.__name__ for item in inside)})
            found += [ClassVars(cls, names, around), *inside] if names else inside
    return found


def _changed(old: Iterable[Unit], new: tuple[Unit, ...], moving: set[str]) -> frozenset[str]:
    was, now = ({n: unit for unit in body if unit.kind == "assign" for n in unit.names} for body in (old, new))
    names = {n for n in was.keys() | now.keys() if n not in was or n not in now or was[n].outline != now[n].outline}
    grown = -1
    while grown != (grown := len(names)):  # what is computed from those, or from names of the module
        known = moving.union(names)
        names.update(n for n, unit in now.items() if not known.isdisjoint((*unit.reads, *unit.code.co_names)))
    return frozenset(names)


def holders(space: Mapping[str, Any], classvars: Iterable[ClassVars]) -> set[str]:
    """The names by which such attributes can be read: bound to the class, one around it, a subclass, an instance."""
    known = frozenset(cls for item in classvars for cls in (item.cls, *item.around))
    return {name for name, value in space.items() if not known.isdisjoint(lineage(value))} if known else set()


def past_of(classvars: Iterable[ClassVars]) -> dict[str | int, dict[str, Any]]:
    """What those that changed were, by class."""
    was: dict[str | int, dict[str, Any]] = {}
    for item in classvars:
        was.setdefault(id(item.cls), {}).update(item.past())
        for cls in item.around:
            was.setdefault(id(cls), {})
    return was


class Past:
    """A module or class of the app, or an instance, whose attributes read as they were before the commit."""

    __slots__ = ("__item", "__was")

    def __init__(self, item: Any, was: Was) -> None:
        self.__item, self.__was = item, was

    def __getattr__(self, name: str) -> Any:
        return as_it_was(_attribute(self.__item, name, self.__was), self.__was)


def leads_to(value: Any, was: Was) -> bool:
    """Whether an attribute of a module, a class or an instance, or of what that holds, may have been another."""
    return issubclass(type(value), ModuleType) or any(id(cls) in was for cls in lineage(value))


def as_it_was(value: Any, was: Was) -> Any:
    """The value, or what stands for it if attributes of it may have been others."""
    return Past(value, was) if leads_to(value, was) else value


def _attribute(item: Any, name: str, was: Was) -> Any:
    if issubclass(type(item), ModuleType):
        held = was.get(item.__name__, {}).get(name, MISSING)
        return getattr(item, name) if held is MISSING else held
    if issubclass(type(item), enum.Enum) and name in ("value", "_value_"):
        return was.get(id(type(item)), {}).get(item._name_, item._value_)
    if not issubclass(type(item), type) and name in (instance_dict(item) or ()):
        return getattr(item, name)
    for cls in lineage(item):
        held = was.get(id(cls), {}).get(name, MISSING)
        if held is not MISSING and not issubclass(cls, enum.Enum):
            return held
        if name in cls.__dict__:
            break
    return getattr(item, name)

"""What can be told of a value that code would handle if it ran again, without running it.

A name of a living module leads to a living object, and so to its class; what a class is called for is an instance of
it; of the rest nothing is known. The rule it upholds: no code of the app runs, so nothing is asked of an object but
what its type and its own dictionary hold.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from habanero_receiver.swap.following.classvars import lineage
from habanero_receiver.swap.following.constants import is_constant
from habanero_receiver.swap.functions.moves import is_plain
from habanero_receiver.swap.kinds import is_a

Home = tuple[str, str]
"""A module and a name in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """Something that nothing is known of."""

    def key(self) -> Hashable:
        """Equal for values of which the same is known."""
        return ()

    @property
    def cls(self) -> type | None:
        """Its class, if that is known."""
        return None

    @property
    def truth(self) -> bool | None:
        """Whether it counts as true, if that is known."""
        return None


UNKNOWN = Value()


@dataclass(frozen=True, slots=True, eq=False)
class Known(Value):
    """This very object, or this constant."""

    value: Any
    origin: Home | None = None
    """The name by which it, or what holds it, is reached."""

    def key(self) -> Hashable:  # noqa: D102  # as above
        return (type(self.value), repr(self.value)) if is_plain(self.value) else id(self.value)

    @property
    def cls(self) -> type | None:  # noqa: D102  # as above
        return type(self.value)

    @property
    def truth(self) -> bool | None:  # noqa: D102  # as above
        if is_plain(self.value):
            return bool(self.value)
        return True if is_a(self.value, (FunctionType, ModuleType)) or type(self.value) is type else None


@dataclass(frozen=True, slots=True, eq=False)
class Made(Value):
    """An instance of this class, no matter which."""

    made: type
    origin: Home | None = None

    def key(self) -> Hashable:  # noqa: D102  # as above
        return ("made", id(self.made))

    @property
    def cls(self) -> type | None:  # noqa: D102  # as above
        return self.made


@dataclass(frozen=True, slots=True, eq=False)
class Part(Value):
    """Something that an object holds which is reached by this name."""

    origin: Home

    def key(self) -> Hashable:  # noqa: D102  # as above
        return ("part", self.origin)


@dataclass(frozen=True, slots=True, eq=False)
class Items(Value):
    """A tuple of which the items are known, as far as any value is."""

    items: tuple[Value, ...]
    whole: bool = True
    """Whether these are all, or only the first."""

    def key(self) -> Hashable:  # noqa: D102  # as above
        return ("items", self.whole, *(item.key() for item in self.items))

    @property
    def cls(self) -> type | None:  # noqa: D102  # as above
        return tuple

    @property
    def truth(self) -> bool | None:  # noqa: D102  # as above
        return bool(self.items) if self.items or self.whole else None


@dataclass(frozen=True, slots=True, eq=False)
class Listed(Value):
    """A list that is being made, of which the first items are known."""

    items: tuple[Value, ...]
    whole: bool = True

    def key(self) -> Hashable:  # noqa: D102  # as above
        return ("list", self.whole, *(item.key() for item in self.items))

    @property
    def cls(self) -> type | None:  # noqa: D102  # as above
        return list


@dataclass(frozen=True, slots=True, eq=False)
class Method(Value):
    """A function, or whatever else is called, with the object that it is a method of."""

    called: Any
    receiver: Value

    def key(self) -> Hashable:  # noqa: D102  # as above
        return ("method", id(self.called), self.receiver.key())

    @property
    def cls(self) -> type | None:  # noqa: D102  # as above
        return MethodType

    @property
    def truth(self) -> bool | None:  # noqa: D102  # as above
        return True


@dataclass(frozen=True, slots=True, eq=False)
class Born(Value):
    """A function that the code makes when it runs."""

    code: CodeType
    names: Mapping[str, Any]
    cells: Mapping[str, Value] = field(default_factory=dict)

    def key(self) -> Hashable:  # noqa: D102  # as above
        return ("born", id(self.code), *((name, value.key()) for name, value in self.cells.items()))

    @property
    def cls(self) -> type | None:  # noqa: D102  # as above
        return FunctionType

    @property
    def truth(self) -> bool | None:  # noqa: D102  # as above
        return True


@dataclass(frozen=True, slots=True, eq=False)
class Space(Value):
    """What a module or class of the app binds, as ``vars`` gives it."""

    owner: Any

    def key(self) -> Hashable:  # noqa: D102  # as above
        return ("space", id(self.owner))


@dataclass(frozen=True, slots=True, eq=False)
class Super(Value):
    """What ``super()`` gives: the classes after one, of an object's."""

    after: type
    receiver: Value

    def key(self) -> Hashable:  # noqa: D102  # as above
        return ("super", id(self.after), self.receiver.key())


NULL = Known(object())
"""What the interpreter puts beside a function that is called, where there is no object that it is a method of."""


def join(one: Value, other: Value) -> Value:
    """What is known of a value that is one or the other."""
    if one is other or one.key() == other.key():
        return one
    if one.cls is not None and one.cls is other.cls and not isinstance(one, Born):
        return Made(one.cls)
    return UNKNOWN


def held(value: Any, origin: Home | None) -> Value:
    """What is known of a value that a name or attribute is bound to now, and was bound to at other times."""
    if value is None:
        return UNKNOWN  # something may not have been there yet
    if is_constant(value) and type(value) is not tuple:
        return Made(type(value), origin)
    return Known(value, origin)


def origin_of(value: Value) -> Home | None:
    """The name by which an object was reached that running the code could change."""
    if isinstance(value, Method):
        return origin_of(value.receiver)
    return value.origin if isinstance(value, (Known, Made, Part)) else None


def part_of(value: Value) -> Value:
    """What is known of something that a value holds."""
    origin = origin_of(value)
    return UNKNOWN if origin is None else Part(origin)


def classes_of(value: Value) -> tuple[type, ...]:
    """Where attributes of a value are looked up, in order; empty if that is not known."""
    if isinstance(value, Super):
        mro = classes_of(value.receiver)
        return mro[mro.index(value.after) + 1 :] if value.after in mro else ()
    if isinstance(value, Known):
        return lineage(value.value)
    return () if value.cls is None else lineage_of(value.cls)


def lineage_of(cls: type) -> tuple[type, ...]:
    """Where attributes of an instance of a class are looked up."""
    mro: tuple[type, ...] = type.__getattribute__(cls, "__mro__")
    return mro


def find(classes: tuple[type, ...], name: str) -> tuple[type, Any] | None:
    """The first of these classes that binds a name itself, and what to."""
    for cls in classes:
        space = type.__getattribute__(cls, "__dict__")
        if name in space:
            return cls, space[name]
    return None

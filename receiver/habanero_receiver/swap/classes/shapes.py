"""Classes that derive more from their body than their members, and which of those a living one can follow.

A dataclass derives methods from its fields, an enum members from its values. When such a body changes, a *twin* is
made from the new one and what it derived moves into the living class (`twins`). This file knows the kinds; it changes
nothing.
"""

from __future__ import annotations

import enum
import sys
import typing
from collections.abc import Callable
from types import FunctionType

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.kinds import function_of, is_a

DERIVED = frozenset({
    "__init__", "__repr__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__setattr__",
    "__delattr__", "__match_args__", "__replace__", "__getstate__", "__setstate__", "__dataclass_fields__",
    "__dataclass_params__", "__attrs_attrs__", "__attrs_own_setattr__", "__attrs_props__",
    "__attrs_base_of_slotted__", "__required_keys__", "__optional_keys__", "__annotations__",
    "_is_runtime_protocol", "__non_callable_proto_members__",
})  # fmt: skip
"""Names that a class can have without a statement of its body: they go when the new body derives them no more."""
FOLLOWED_METACLASSES = (
    "builtins", "abc", "enum", "typing", "pydantic", "sqlmodel", "wtforms", "django.forms",
    "rest_framework.serializers",
)  # fmt: skip
"""Packages and modules whose metaclasses do nothing but make the class: making a twin with them is seen by no one."""


def special_kind(cls: type) -> str:
    """What kind of class derives more from its body than its members, in words; empty for plain classes."""
    if "__dataclass_fields__" in vars(cls):
        return "a dataclass"
    if type(vars(cls).get("__attrs_attrs__", ())) is not tuple:  # a plain one stands in the body: nothing derived it
        return "an attrs class"
    if is_named_tuple(cls):
        return "a named tuple"
    if typing.is_typeddict(cls):
        return "a typed dictionary"
    if vars(cls).get("_is_protocol"):
        return "a protocol"
    if not makes_classes_only(type(cls)):
        return f"a class made by {type(cls).__module__}.{type(cls).__qualname__}"
    return ""


def makes_classes_only(metaclass: type) -> bool:
    """Whether a metaclass is Python's own, and derives nothing from a body but what is in the class then."""
    return metaclass.__module__ in ("builtins", "abc", "typing")


def is_named_tuple(cls: type) -> bool:
    """Whether the class itself, not one that it inherits from, is a named tuple."""
    return issubclass(cls, tuple) and "_fields" in vars(cls)


def derives(cls: type, is_own: Callable[[str], bool]) -> bool:
    """Whether a change of the class's non-function members changes more than these."""
    return bool(special_kind(cls)) or own_init_subclass(cls, is_own) is not None or _python_derives(cls)


def _python_derives(cls: type) -> bool:
    """Whether a class of Python's library derives attributes from the bodies of those built on it (``Template``)."""
    homes = (base.__module__ for base in cls.__mro__[1:] if "__init_subclass__" in vars(base))
    home = next(homes, "builtins").partition(".")[0]
    return home in sys.stdlib_module_names and not home.startswith(("builtins", "typing", "enum", "abc"))


def own_init_subclass(cls: type, is_own: Callable[[str], bool]) -> FunctionType | None:
    """The app's own ``__init_subclass__`` that ran when ``cls`` was made, if there is one."""
    for base in cls.__mro__[1:]:
        hook = vars(base).get("__init_subclass__")
        if hook is not None:
            function = function_of(hook)
            return function if is_a(function, FunctionType) and is_own(base.__module__) else None
    return None


def can_follow(cls: type, is_own: Callable[[str], bool]) -> bool:
    """Whether a twin of the class can be made without anyone noticing."""
    home = type(cls).__module__
    return any(f"{home}.".startswith(f"{name}.") for name in FOLLOWED_METACLASSES) or is_own(home)


def is_field(cls: type, unit: Unit) -> bool:
    """Whether the class derives something from this member of its body."""
    if unit.kind != "function":
        return True
    name = unit.names[0]
    if vars(cls).get("_is_protocol"):
        return True
    if is_a(cls, enum.EnumType):
        return name in ("__new__", "__init__", "_generate_next_value_")
    if name in DERIVED or name in ("__post_init__", "__attrs_post_init__"):
        return True
    return unit.decorate is not None and collects_decorated(cls)


def collects_decorated(cls: type) -> bool:
    """Whether pydantic looked through the body for what its decorators made, also of a dataclass: it is asked again."""
    return "__pydantic_decorators__" in vars(cls)

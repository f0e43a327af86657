"""Moves the members of a living enum to those of its new body: who stays keeps its identity, whatever its value.

Members whose value is held by the object itself (of an enum of numbers or strings) cannot take another value while
they are the same object: such a change is refused.
"""

from __future__ import annotations

import enum
from typing import Any

from habanero_receiver.swap.functions.moves import is_plain
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.undo import UndoLog

from .layouts import LayoutError

_TABLES = (
    "_flag_mask_", "_singles_mask_", "_all_bits_", "_inverted_", "_boundary_", "_unhashable_values_",
    "_hashable_values_", "_unhashable_values_map_", "_use_args_", "_value_repr_", "__new_member__", "_new_member_",
    "_generate_next_value_", "__doc__", "__annotations__",
)  # fmt: skip


def adopt_members(log: UndoLog, living: Any, twin: Any) -> None:
    """Gives ``living`` the members of ``twin``, and every table that an enum keeps of them."""
    check_members(living, twin)
    left = {id(m): m for m in living._value2member_map_.values() if m._name_ not in twin._member_map_}
    merged = {id(member): _merge(log, living, member, [*left.values()]) for member in twin._member_map_.values()}
    for name, member in twin._member_map_.items():
        log.set_class_attribute(living, name, _entry(living, twin, name, merged[id(member)]))
    for name in living._member_map_:
        if name not in twin._member_map_:
            log.delete_class_attribute(living, name)
    taken = {id(member) for member in merged.values()}
    composed = {v: m for v, m in living._value2member_map_.items() if m._name_ not in living._member_map_}
    composed = {v: m for v, m in composed.items() if id(m) not in taken}
    kept = {v: m for v, m in composed.items() if _is_of(v, twin)}
    by_value = {value: merged[id(m)] for value, m in twin._value2member_map_.items() if id(m) in merged}
    tables = {
        "_member_map_": {name: merged[id(member)] for name, member in twin._member_map_.items()},
        "_member_names_": list(twin._member_names_),
        "_value2member_map_": {**kept, **by_value},
        **{name: vars(twin)[name] for name in _TABLES if name in vars(twin)},
    }
    for name, table in tables.items():
        log.set_class_attribute(living, name, table)


def check_members(living: Any, twin: Any) -> None:
    """Raises LayoutError if living members would have to become what they cannot be."""
    kind = living._member_type_
    if kind is not twin._member_type_:
        raise LayoutError(f"{living.__qualname__}: the type of a living enum's members cannot change")
    for name, member in twin._member_map_.items() if kind is not object else ():
        old = living._member_map_.get(name)
        if old is not None and old._value_ != member._value_:
            raise LayoutError(
                f"{living.__qualname__}.{name} is itself the {kind.__name__} {old._value_!r} and cannot become "
                f"{member._value_!r} while it lives",
                "restart, or give the new value a new name",
            )


def _merge(log: UndoLog, living: Any, new: Any, left: list[Any]) -> Any:
    """The living member that the twin's ``new`` becomes: the one of that name, or ``new`` itself, adopted.

    One of ``left``, whose names are no more or who were composed of flags, becomes the one that has its value now.
    """
    old = living._member_map_.get(new._name_)
    if old is None or old._name_ != new._name_:  # an alias until now has no object of its own
        old = next((m for m in living._member_map_.values() if m._name_ == new._name_), None)
    if old is None:
        old = next((m for m in left if _same_value(m._value_, new._value_)), None)
    if old is None:
        new.__class__ = living
        vars(new)["__objclass__"] = living
        return new
    held = vars(old)
    for name, value in vars(new).items():
        if name != "__objclass__" and (name not in held or held[name] != value):
            log.set_item(held, name, value)
    for name in [name for name in held if name.startswith("_inverted_")]:
        log.set_item(held, name, None)
    return old


def _same_value(one: Any, other: Any) -> bool:
    return is_plain(one) and type(one) is type(other) and bool(one == other)


def _entry(living: Any, twin: Any, name: str, member: Any) -> Any:
    """What the class's namespace holds under a member's name: the member, or a descriptor that leads to it."""
    made = vars(twin).get(name)
    if not is_a(made, enum.property):
        return member
    had = vars(living).get(name)
    if is_a(had, enum.property) and getattr(had, "member", None) is member:
        return had
    made.member = member
    made.__set_name__(living, name)
    return made


def _is_of(value: Any, twin: Any) -> bool:
    """Whether a composed flag's value is made of bits that there still are."""
    mask = getattr(twin, "_flag_mask_", None)
    return is_a(value, int) and mask is not None and value & ~mask == 0

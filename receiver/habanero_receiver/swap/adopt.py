"""Moves what a twin derived from a new body into the living class, so that the twin can be dropped."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MemberDescriptorType
from typing import Any

from .enums import adopt_members
from .live import cell_content, orphan
from .shapes import DERIVED, is_named_tuple
from .transaction import Transaction
from .tuples import adopt_fields
from .undo import UndoLog

_FIXED = ("__dict__", "__weakref__", "__module__", "__qualname__", "__firstlineno__", "__static_attributes__")
_ABSENT: Any = object()


def adopt(log: UndoLog, cls: type, twin: type, body: Mapping[str, str], changed: set[str]) -> None:
    """Moves what the twin derived into the living class; its functions and what did not change stay.

    ``body`` gives the kind of each name that the new body binds; ``changed`` are those that it binds otherwise.
    """
    if isinstance(cls, enum.EnumType):
        adopt_members(log, cls, twin)
    elif is_named_tuple(cls):
        adopt_fields(log, cls, twin)
    made, had = vars(twin), vars(cls)
    skip = {*_FIXED, *(name for name, kind in body.items() if kind in ("function", "class"))}
    skip |= {name for name, value in had.items() if isinstance(value, MemberDescriptorType)}
    if isinstance(cls, enum.EnumType):
        skip |= {name for name in (*made, *had) if name.startswith("_") or name in _members(cls, twin)}
    elif is_named_tuple(cls):
        skip.update(twin._fields)  # type: ignore[attr-defined]  # a named tuple
    for name, value in list(made.items()):
        if name in skip or (name in body and name not in changed) or isinstance(value, MemberDescriptorType):
            continue
        if had.get(name, _ABSENT) is not value:
            relink(value, twin, cls)
            log.set_class_attribute(cls, name, cls if value is twin else value)
    for name in list(had):
        if name not in made and name not in skip and (name in changed or (name in DERIVED and name not in body)):
            log.delete_class_attribute(cls, name)


def remake(work: Transaction, living: type, made: Any) -> bool:
    """Has a living class that a statement made again (``Point = namedtuple(...)``) become what was made.

    Returns whether it did; if not, the name is to be bound to the new class.
    """
    if made is living or type(made) is not type(living) or made.__qualname__ != living.__qualname__:
        return False
    if not isinstance(living, enum.EnumType) and not (is_named_tuple(living) and is_named_tuple(made)):
        return False
    adopt(work.log, living, made, {}, set())
    orphan(made)
    work.reshaped.append(living)
    return True


def _members(cls: Any, twin: Any) -> set[str]:
    return {*cls._member_map_, *twin._member_map_}


def relink(value: Any, twin: type, cls: type) -> None:
    """Has functions that were made for the twin speak of the living class. They are in nobody else's hands yet."""
    function = getattr(value, "__func__", value)
    for cell in getattr(function, "__closure__", None) or ():
        if twin in cell_content(cell):
            cell.cell_contents = cls

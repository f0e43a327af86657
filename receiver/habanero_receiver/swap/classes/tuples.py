"""Lets a living named tuple take other fields: as collections makes them, where no living tuple has the old ones.

Where one has, the class can only take new fields at its end: tuples made before stay shorter, and the fields that they
lack show their default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from habanero_receiver.swap.kinds import is_a, is_instance
from habanero_receiver.swap.undo import UndoLog

from .layouts import LayoutError


def check_fields(living: Any, twin: Any, instances: Iterable[Any]) -> bool:
    """Whether some of ``instances`` are shorter than the new fields. Raises LayoutError where they would be misread."""
    old, new, defaults = living._fields, twin._fields, twin._field_defaults
    former = [instance for instance in instances if is_instance(instance, living)]
    if not former or old == new:
        return any(len(instance) < len(new) for instance in former)
    if new[: len(old)] != old or any(name not in defaults for name in new[len(old) :]):
        raise LayoutError(
            f"{living.__qualname__}: living tuples have the fields ({', '.join(old)}); while they do, it can only take "
            f"new ones at its end, with defaults, not ({', '.join(new)})",
            "give new fields defaults and put them last, drop what holds the old tuples, or restart",
        )
    return True


def adopt_fields(log: UndoLog, living: Any, twin: Any, instances: Callable[[], Iterable[Any]]) -> None:
    """Gives ``living`` the fields of ``twin``. Raises LayoutError where tuples made before would be misread."""
    plain = not any(is_a(vars(living).get(name), _Field) for name in living._fields)
    shorter = not (plain and living._fields == twin._fields) and check_fields(living, twin, instances())
    old, new, defaults = living._fields, twin._fields, twin._field_defaults
    added = new[len(old) :]
    for index, name in enumerate(new):
        if not shorter:
            log.set_class_attribute(living, name, vars(twin)[name])
        elif name in added:
            log.set_class_attribute(living, name, _Field(index, defaults[name]))
    for name in old:
        if name not in new:
            log.delete_class_attribute(living, name)
    for name in ("__repr__", "_asdict", "__getnewargs__", "_replace") if shorter else ():
        type.__setattr__(twin, name, _padding(vars(twin)[name], living, defaults))  # the twin is nobody else's


class _Field:
    """Reads one position of a tuple that may be shorter than its class has fields by now."""

    def __init__(self, index: int, default: object) -> None:
        self.index, self.default = index, default

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        return tuple.__getitem__(instance, self.index) if len(instance) > self.index else self.default


def _padding(method: Any, living: Any, defaults: dict[str, Any]) -> Any:
    """``method``, called with a tuple of full length."""

    def padded(self: Any, /, **given: Any) -> Any:
        missing = tuple(defaults[name] for name in living._fields[len(self) :])
        return method(tuple.__new__(living, (*self, *missing)), **given)

    padded.__name__, padded.__qualname__, padded.__doc__ = method.__name__, method.__qualname__, method.__doc__
    return padded

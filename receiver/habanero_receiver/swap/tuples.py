"""Lets a living named tuple take new fields at its end: tuples made before show the default for what they lack."""

from __future__ import annotations

from typing import Any

from .layouts import LayoutError
from .undo import UndoLog


def adopt_fields(log: UndoLog, living: Any, twin: Any) -> None:
    """Gives ``living`` the fields of ``twin``. Raises LayoutError where tuples made before would be misread."""
    old, new, defaults = living._fields, twin._fields, twin._field_defaults
    added = new[len(old) :]
    if new[: len(old)] != old or any(name not in defaults for name in added):
        raise LayoutError(
            f"{living.__qualname__}: a living named tuple can only take new fields at its end, with defaults"
        )
    for name in new:
        if name in added or vars(living).get(name) is None:
            log.set_class_attribute(living, name, _Field(new.index(name), defaults[name]))
    if not added:
        return
    for name in ("__repr__", "_asdict", "__getnewargs__", "_replace"):
        log.set_class_attribute(twin, name, _padding(vars(twin)[name], living, defaults))


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

"""Gives living instances the defaults of fields that their class gained, where the class itself does not show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from habanero_receiver.swap.kinds import instance_dict
from habanero_receiver.swap.undo import UndoLog


def keeps_no_defaults(cls: type) -> bool:
    """Whether instances of the class may lack a new field although it has a default."""
    return any(name in vars(cls) for name in ("__dataclass_fields__", "__attrs_attrs__", "__pydantic_fields__"))


def give_defaults(log: UndoLog, cls: type, instances: Iterable[object]) -> None:
    """Sets each field that an instance lacks and that has a default."""
    defaults = {name: make for name, make in _defaults(cls).items() if name not in vars(cls)}
    for instance in instances if defaults else ():
        held = instance_dict(instance)
        for name, make in defaults.items() if held is not None else ():
            if held is not None and name not in held:
                log.set_item(held, name, make())


def _defaults(cls: Any) -> dict[str, Callable[[], Any]]:
    """How to make the default of each field that has one."""
    found: dict[str, Callable[[], Any]] = {}
    for name, field in vars(cls).get("__dataclass_fields__", {}).items():
        if callable(field.default_factory):
            found[name] = field.default_factory
    for name, field in vars(cls).get("__pydantic_fields__", {}).items():
        if not field.is_required():
            found[name] = partial(field.get_default, call_default_factory=True)
    for field in vars(cls).get("__attrs_attrs__", ()):
        factory = getattr(field.default, "factory", None)
        if callable(factory) and not field.default.takes_self:
            found[field.name] = factory
        elif factory is None and type(field.default).__name__ != "_Nothing":
            found[field.name] = partial(getattr, field, "default")
    return found

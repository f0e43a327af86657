"""What making an instance of a class calls that its library derived from the class: validators, converters, factories.

Dataclasses, attrs and pydantic write down in the class what of the app they call. It looks at classes and runs nothing.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from habanero_receiver.swap.containers.entries import held
from habanero_receiver.swap.kinds import instance_dict, is_a

_HOOKS = ("__post_init__", "__attrs_pre_init__", "__attrs_post_init__", "model_post_init")
_FIELDS = ("__dataclass_fields__", "__attrs_attrs__", "__pydantic_fields__")
_VALIDATORS = ("validators", "field_validators", "root_validators", "model_validators")
"""The tables of pydantic's decorators that are asked when an instance is made."""
_DEPTH, _MAX_CLASSES = 6, 200


def called_in_making(cls: type) -> Iterator[FunctionType]:
    """The functions that making an instance of ``cls`` calls, and of the classes that its fields are annotated with."""
    waiting, seen = [cls], {cls}
    while waiting and len(seen) < _MAX_CLASSES:
        names = vars(made := waiting.pop())
        decorators = instance_dict(names.get("__pydantic_decorators__")) or _slots(names.get("__pydantic_decorators__"))
        parts = [names.get(name) for name in _FIELDS]
        parts += [decorators.get(name) for name in _VALIDATORS]
        parts += [getattr(made, name, None) for name in _HOOKS if any(name in vars(above) for above in made.__mro__)]
        yield from _functions(parts)
        fields = names.get("__pydantic_fields__")
        for field in fields.values() if is_a(fields, dict) else ():
            inside = [inner for inner in _classes(field.annotation) if inner not in seen]
            seen.update(inside)
            waiting.extend(inside)


def _slots(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in getattr(type(record), "__slots__", ()) if hasattr(record, name)}


def _functions(parts: list[Any]) -> Iterator[FunctionType]:
    level, seen = parts, set[int]()
    for _ in range(_DEPTH):
        below: list[Any] = []
        for item in level:
            if id(item) in seen:
                continue
            seen.add(id(item))
            if is_a(item, FunctionType):
                yield item
            below.extend(held(item))
        level = below


def _classes(annotation: Any) -> Iterator[type]:
    if is_a(annotation, type) and "__pydantic_fields__" in vars(annotation):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _classes(part)

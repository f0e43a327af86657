"""What one entry of a registry holds: whether it is a given function, or leads to it a few steps down.

It looks only; no code of the app runs. An entry can be the function, a tuple, a record with or without slots, a
wrapper around it, a weak reference to it, or a mapping with it.
"""

from __future__ import annotations

import functools
import weakref
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any

from habanero_receiver.swap.finding.live import cell_content
from habanero_receiver.swap.kinds import instance_dict, is_a, slot_content, slot_members

CONTAINERS = (list, dict, set, deque)
"""What can be a registry."""
ENTRY_DEPTH = 3
"""How many steps an entry leads to what it is of."""
_MAX_SHOWN = 80
_PLACE_DEPTH, _MAX_PLACES = 5, 20_000


def holds(
    entry: object, targets: Iterable[object], depth: int = ENTRY_DEPTH, beyond: Collection[int] = frozenset()
) -> bool:
    """Whether ``entry`` is one of ``targets`` or holds one up to ``depth`` steps down.

    Objects whose identity is in ``beyond`` are not entered: the registry itself, which an entry may know.
    """
    wanted = {id(target) for target in targets}
    level: list[object] = [entry]
    seen: set[int] = set(beyond)
    for _ in range(depth):
        below: list[object] = []
        for item in level:
            if id(item) in wanted:
                return True
            if id(item) not in seen:
                seen.add(id(item))
                below.extend(held(item))
        level = below
    return any(id(item) in wanted for item in level)


def held(item: Any) -> Iterable[object]:
    """What an entry directly holds."""
    if is_a(item, (str, bytes, int, float, type, ModuleType)) or item is None:
        return ()
    if is_a(item, (tuple, list, set, frozenset, deque)):
        return list(item)
    if is_a(item, dict):
        return list(dict.values(item))
    if is_a(item, (staticmethod, classmethod, MethodType)):
        return (item.__func__,)
    if is_a(item, functools.partial):
        return (item.func, *item.args, *item.keywords.values())
    if is_a(item, weakref.ref):
        return (item(),)
    attributes = list((instance_dict(item) or {}).values())
    if is_a(item, FunctionType):
        return [*attributes, *(content for cell in item.__closure__ or () for content in cell_content(cell))]
    return [*attributes, *_slots(item)]


def _slots(item: Any) -> Iterable[object]:
    """What is in the slots of a record."""
    for member in slot_members(type(item)):
        yield from slot_content(member, item)


def place_of(container: object, modules: Mapping[str, ModuleType]) -> str:
    """The name by which the app's modules lead to a container: ``shop.app.router.routes``; its type if none does."""
    level: list[tuple[str, object]] = [(name, module) for name, module in modules.items()]
    seen: set[int] = set()
    for _ in range(_PLACE_DEPTH):
        below: list[tuple[str, object]] = []
        for path, item in level:
            if item is container:
                return path
            attributes = instance_dict(item)
            if id(item) not in seen and attributes is not None and not is_a(item, (type, FunctionType)):
                seen.add(id(item))
                below.extend((f"{path}.{name}", value) for name, value in list(attributes.items()))
            if is_a(item, dict) and id(item) not in seen:
                seen.add(id(item))
                below.extend((f"{path}[{shown(key)}]", value) for key, value in list(dict.items(item)))
        level = below[:_MAX_PLACES]
    return f"a {type(container).__name__}"


def shown(entry: Any, depth: int = 2) -> str:
    """The entry in a few words, without asking objects of the app for any."""
    if is_a(entry, (str, bytes, int, float)) or entry is None:
        text = repr(entry)
    elif is_a(entry, (FunctionType, type)):
        text = entry.__qualname__
    elif is_a(entry, (tuple, list)) and depth:
        text = f"({', '.join(shown(part, depth - 1) for part in entry)})"
    else:
        text = type(entry).__qualname__
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"

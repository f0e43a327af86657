"""What calls of Python's own functions and of libraries mean for the app: what they call, look at and change.

What is known of a few functions of Python is used; any other may change what it is given, and calls nothing of it now.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, ModuleType
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.following.constants import only_computes
from habanero_receiver.swap.kinds import instance_dict, is_a

from .values import UNKNOWN, Born, Items, Known, Method, Space, Value, lineage_of, origin_of, part_of

if TYPE_CHECKING:
    from .meaning import Meaning

_CALLING = frozenset(("map", "filter", "sorted", "min", "max", "sum", "any", "all", "list", "tuple", "set", "dict",
                      "reduce", "sort", "iter", "next", "enumerate", "zip"))  # fmt: skip
"""What of Python and its library calls the functions that it is given, or has its arguments do their work, at once."""
_CHANGING = frozenset((
    "append", "appendleft", "add", "insert", "extend", "extendleft", "update", "setdefault", "pop", "popitem",
    "popleft", "remove", "discard", "clear", "sort", "reverse", "setattr", "delattr", "exec", "eval",
    "__setitem__", "__delitem__", "__setattr__", "__delattr__", "intersection_update", "difference_update",
    "symmetric_difference_update", "rotate", "move_to_end", "subtract",
))  # fmt: skip
"""What of Python's own functions and methods changes what it is given."""
_LOOKING: tuple[Any, ...] = (isinstance, issubclass, hasattr, getattr, callable, id, type, print, len)
_LISTING = frozenset(("vars", "dir", "globals", "locals"))
_ASKING = frozenset(("len", "str", "repr", "hash", "iter", "next", "bool", "int", "float", "abs", "format", "reversed",
                     "complex", "bytes", "dir", "round"))  # fmt: skip
"""Python's own functions that call the method of that name."""


def call_outside(meaning: Meaning, item: Any, args: list[Value], named: Mapping[str, Value]) -> Value:
    """Calls what is not the app's: it may call what it is given, and change it."""
    named_so = is_a(item, (FunctionType, BuiltinFunctionType, MethodDescriptorType, type))
    name = item.__name__ if named_so else ""
    computes = named_so and only_computes(item)
    every = [*args, *named.values()]
    if item is isinstance and len(args) == 2:
        return _is_instance(meaning, *args)
    if item is hasattr and len(args) == 2:
        return _has(meaning, *args)
    if item is getattr and len(args) > 1 and isinstance(args[1], Known) and isinstance(args[1].value, str):
        return meaning.attribute(args[0], args[1].value)
    if name in _LISTING and item.__module__ == "builtins":
        return _space(meaning, args, name)
    for value in every:
        meaning.open(value)
        if isinstance(value, Space):
            list_names(meaning, value, all_of=True)
    of_python = _is_of_python(item)
    if name in _CHANGING if of_python else not (computes or any(item is looking for looking in _LOOKING)):
        for value in every:
            meaning.touch(value)
    for value in every:
        if name in _CALLING and isinstance(value, (Known, Born, Method)):
            _called_back(meaning, value)
        elif name in _ASKING:
            meaning.special(value, f"__{name}__")
    first = next((value for value in every if origin_of(value) is not None), UNKNOWN)
    return UNKNOWN if computes and name not in _CALLING else part_of(first)


def _space(meaning: Meaning, args: list[Value], name: str) -> Value:
    """What a module or class binds; without an argument, that where the code is."""
    first = args[0] if args else Known(sys.modules.get(meaning.module_name))
    owner: Any = first.value if isinstance(first, Known) else None
    if is_a(owner, ModuleType):
        own = meaning.runs.is_own(owner.__name__)
    else:
        own = is_a(owner, type) and meaning.runs.owns(owner)
    if not own:
        return part_of(first)
    list_names(meaning, Space(owner), all_of=name == "dir")
    return Space(owner)


def list_names(meaning: Meaning, space: Space, *, all_of: bool) -> None:
    """Notes that code looks at what a module or class binds; counts only if it looks at all of that."""
    if all_of:
        meaning.ran.listed.append(space.owner)


def _called_back(meaning: Meaning, value: Known | Born | Method) -> None:
    if isinstance(value, Born):
        meaning.run(meaning.runs.born(value))
        return
    item = value.value if isinstance(value, Known) else value.called
    inner = (instance_dict(item) or {}).get("__wrapped__", item) if callable(item) else item
    if is_a(inner, FunctionType) and meaning.runs.owns(inner):
        meaning.run(meaning.runs.function(inner))


def _has(meaning: Meaning, value: Value, name: Value) -> Value:
    """Whether a library has something is as it was when the app was imported."""
    if not (isinstance(value, Known) and is_a(value.value, ModuleType) and isinstance(name, Known)):
        return UNKNOWN
    return UNKNOWN if meaning.runs.is_own(value.value.__name__) else Known(name.value in vars(value.value))


def _is_instance(meaning: Meaning, value: Value, kinds: Value) -> Value:
    listed = [*kinds.items] if isinstance(kinds, Items) and kinds.whole else [kinds]
    if value.cls is None or not all(isinstance(k, Known) and type(k.value) is type for k in listed):
        if value is UNKNOWN or value.cls is None:
            return UNKNOWN
        for kind in listed:
            meaning.special(kind, "__instancecheck__", value)
        return UNKNOWN
    return Known(any(isinstance(k, Known) and k.value in lineage_of(value.cls) for k in listed))


def _is_of_python(item: Any) -> bool:
    """Whether it is a method of Python's own containers and values, of which is known which change them."""
    if is_a(item, MethodDescriptorType):
        return item.__objclass__.__module__ in ("builtins", "collections")
    if is_a(item, BuiltinFunctionType):
        return type(item.__self__).__module__ in ("builtins", "collections") and not is_a(item.__self__, ModuleType)
    return False

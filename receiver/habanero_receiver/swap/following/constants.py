"""What counts as a constant: values that nothing can change, and calls that only compute such values from others.

It judges values and callables by what they are; it runs nothing of the app. The rule it upholds: what it calls pure can
be computed twice, at any moment, without anyone noticing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, ModuleType
from typing import Any

from habanero_receiver.swap.functions.moves import is_plain
from habanero_receiver.swap.kinds import home_of, is_a, own_attribute

_BUILTINS = frozenset({
    "abs", "all", "any", "ascii", "bin", "bool", "bytes", "chr", "complex", "dict", "divmod", "enumerate",
    "filter", "float", "format", "frozenset", "hash", "hex", "int", "len", "list", "map", "max", "min", "oct",
    "ord", "pow", "range", "repr", "reversed", "round", "set", "slice", "sorted", "str", "sum", "tuple", "zip",
})  # fmt: skip
_PURE: Mapping[str, frozenset[str]] = {
    "datetime": frozenset({"date", "datetime", "time", "timedelta", "timezone"}),
    "decimal": frozenset({"Decimal"}),
    "fractions": frozenset({"Fraction"}),
    "ipaddress": frozenset({"ip_address", "ip_network", "IPv4Address", "IPv4Network", "IPv6Address", "IPv6Network"}),
    "math": frozenset({"ceil", "floor", "sqrt", "log", "log2", "log10", "exp", "prod", "gcd", "lcm", "isqrt"}),
    "ntpath": frozenset({"basename", "dirname", "join", "normpath", "split", "splitext"}),
    "pathlib": frozenset({"Path", "PurePath", "PurePosixPath", "PureWindowsPath"}),
    "posixpath": frozenset({"basename", "dirname", "join", "normpath", "split", "splitext"}),
    "re": frozenset({"compile", "escape"}),
    "urllib.parse": frozenset({"quote", "quote_plus", "unquote", "urlencode", "urljoin", "urlsplit"}),
    "uuid": frozenset({"UUID"}),
    "zoneinfo": frozenset({"ZoneInfo"}),
}
"""Functions and types of the standard library that only compute immutable values from what they are given."""
_IMMUTABLE: Mapping[str, frozenset[str]] = {
    "datetime": frozenset({"date", "datetime", "time", "timedelta", "timezone"}),
    "decimal": frozenset({"Decimal"}),
    "fractions": frozenset({"Fraction"}),
    "ipaddress": frozenset({"IPv4Address", "IPv4Network", "IPv6Address", "IPv6Network"}),
    "pathlib": frozenset({"PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath"}),
    "re": frozenset({"Pattern"}),
    "uuid": frozenset({"UUID"}),
}
"""Types of the standard library whose instances compare by value and never change, beside the built-in ones."""
_VALUE_METHODS = frozenset(name for kind in (str, bytes, int, float, tuple) for name in vars(kind)) - {"__init__"}


_READERS = frozenset({"get", "keys", "values", "items", "index", "count", "copy", "union", "difference"})
"""Methods of built-in containers that only read."""


def is_readable(value: Any) -> bool:
    """Whether ``value`` is a constant, or a built-in container of such: to read it runs no code of the app."""
    if type(value) in (list, set, tuple, frozenset):
        return all(map(is_readable, [*value]))
    if type(value) is dict:
        return all(map(is_readable, [*value, *value.values()]))
    return is_constant(value)


def is_constant(value: Any) -> bool:
    """Whether ``value`` never changes and compares by what it is."""
    if type(value) in (tuple, frozenset):
        return all(map(is_constant, value))
    return is_plain(value) or type(value).__qualname__ in _IMMUTABLE.get(_home(type(value)), ())


def same_constant(value: Any, other: Any) -> bool:
    """Whether two values are the very same object, or equal constants, all the way down."""
    if value is other:
        return True
    if type(value) is not type(other):
        return False
    if type(value) is tuple:
        return len(value) == len(other) and all(map(same_constant, value, other))
    return is_constant(value) and bool(value == other)


def are_pure(calls: Iterable[str], names: Mapping[str, Any]) -> bool:
    """Whether calling all of ``calls``, dotted paths of which the first part means what ``names`` says, is pure.

    ``()`` stands for the result of another call or a literal, whose method is called.
    """
    return all(_is_pure(call.split("."), names) for call in calls)


def _is_pure(path: list[str], names: Mapping[str, Any]) -> bool:
    if path[0] == "()":
        return len(path) > 1 and path[1] in _VALUE_METHODS
    found = names.get(path[0])
    for part in path[1:]:
        if is_plain(found):
            return part in _VALUE_METHODS
        if type(found) in (list, dict, set, frozenset):
            return part in _READERS
        if is_a(found, ModuleType):
            found = vars(found).get(part)
        elif is_a(found, type) and is_builtin(found):
            found = getattr(found, part, None)
            return is_a(found, (BuiltinFunctionType, MethodDescriptorType))
        else:
            return False
    return only_computes(found)


def only_computes(found: Any) -> bool:
    """Whether calling ``found``, of Python or its library, only computes an immutable value from what it is given."""
    return is_builtin(found) or _is_listed(found)


def is_builtin(found: Any) -> bool:
    """Whether ``found`` is one of Python's own functions or types that compute a value from their arguments alone."""
    return home_of(found) == "builtins" and own_attribute(found, "__name__") in _BUILTINS


def _is_listed(found: Any) -> bool:
    if not is_a(found, (type, FunctionType, BuiltinFunctionType)):
        return False
    return found.__qualname__ in _PURE.get(_home(found), ())


def _home(found: type | FunctionType | BuiltinFunctionType) -> str:
    """The module that a type or function is known by."""
    return str(found.__module__).removesuffix("._local")  # where 3.13 keeps what pathlib gives

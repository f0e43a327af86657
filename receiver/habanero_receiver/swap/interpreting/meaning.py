"""What the names, attributes and calls of code mean in the living process: the `World` of a `Machine`.

It tells without running anything: names by what modules bind, attributes by classes and instance dictionaries, calls
by the functions that they lead to. What it finds is noted in a `Ran`; functions of the app are looked at in turn.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.kinds import instance_dict, is_a

from .deriving import called_in_making
from .outside import call_outside, list_names
from .ran import Ran, Read
from .values import (
    UNKNOWN,
    Born,
    Items,
    Known,
    Made,
    Method,
    Space,
    Super,
    Value,
    classes_of,
    find,
    held,
    lineage_of,
    origin_of,
    part_of,
)  # fmt: skip

if TYPE_CHECKING:
    from .runs import Runs

_FIXED = ("version_info", "hexversion", "platform", "maxsize", "byteorder", "implementation")
"""What `sys` says of the interpreter."""


class Meaning:
    """What the values of one `Ran` mean: the `World` of its machine."""

    def __init__(self, runs: Runs, ran: Ran) -> None:
        self.runs, self.ran = runs, ran
        self.module_name = str(ran.names.get("__name__"))

    # ---- names

    def read(self, name: str, *, local: bool) -> Value:
        """See `World`."""
        if local and name in self.ran.inner:
            return self._note(held(self.ran.inner[name], (self.module_name, name)))
        return self._global(self.ran.names, self.module_name, name)

    def _global(self, names: Mapping[str, Any], module: str, name: str) -> Value:
        if name not in names:
            builtin = names.get("__builtins__", {})
            space = builtin if isinstance(builtin, dict) else vars(builtin)
            return Known(space[name]) if name in space else UNKNOWN
        value = names[name]
        self.ran.reads.setdefault((module, name), Read((module, name), value, names))
        return self._note(held(value, (module, name)))

    def _note(self, value: Value) -> Value:
        if isinstance(value, Known) and is_a(value.value, (FunctionType, type)) and self.runs.owns(value.value):
            self.ran.passed.append(value)
        return value

    def write(self, name: str) -> None:
        """See `World`."""
        self.ran.written[self.module_name, name] = None

    def module(self, name: str, level: int, *, top: bool) -> Value:
        """See `World`."""
        if level:
            package = str(self.ran.names.get("__package__") or "")
            base = package.rsplit(".", level - 1)[0] if level > 1 else package
            name = f"{base}.{name}" if name else base
        found = sys.modules.get(name.partition(".")[0] if top and not level else name)
        return UNKNOWN if found is None else Known(found)

    def born(self, value: Born) -> None:
        """See `World`."""
        self.ran.born.append(value)

    # ---- attributes

    def attribute(self, value: Value, name: str) -> Value:
        """See `World`."""
        if isinstance(value, Known) and is_a(value.value, ModuleType):
            module = value.value.__name__
            if self.runs.is_own(module):
                return self._global(vars(value.value), module, name)
            space = vars(value.value)
            fixed = module == "sys" and name in _FIXED
            return UNKNOWN if name not in space else Known(space[name]) if fixed else held(space[name], None)
        if isinstance(value, Space):
            list_names(self, value, all_of=name in ("values", "items", "copy"))
            return UNKNOWN
        self.open(value)
        classes = classes_of(value)
        if not classes:
            self.ran.asked[name] = None
            return part_of(value)
        if name == "__class__" and value.cls is not None and not isinstance(value, Super):
            return Known(value.cls)
        origin = origin_of(value)
        if origin is not None and isinstance(value, Known):
            self.ran.attributes[origin, name] = (value.value, name)
        found = self._lookup(classes, name)
        if found is None:
            return self._missing(value, name)
        return self._bind(value, found, name)

    def _lookup(self, classes: tuple[type, ...], name: str) -> Any:
        """What classes bind a name to, in a tuple; notes where it was looked for."""
        for cls in classes:
            if self.runs.owns(cls):
                self.ran.looked[cls, name] = None
            if name in (space := type.__getattribute__(cls, "__dict__")):
                return (space[name],)
        return None

    def _missing(self, value: Value, name: str) -> Value:
        own = (instance_dict(value.value) or {}) if isinstance(value, Known) else {}
        if name in own:
            return self._note(held(own[name], origin_of(value)))
        self.special(value, "__getattr__", Known(name))
        return part_of(value)

    def _bind(self, value: Value, found: tuple[Any], name: str) -> Value:
        """What reading a member of a class gives, of the class or of an instance of it."""
        (member,) = found
        of_class = isinstance(value, Known) and is_a(value.value, type)
        if is_a(member, property):
            return UNKNOWN if of_class else self.call(held(member.fget, None), [value], {}, exact=True)
        if is_a(member, staticmethod):
            return self._note(Known(member.__func__))
        receiver = value.receiver if isinstance(value, Super) else value
        if is_a(member, classmethod):
            cls = receiver if of_class or receiver.cls is None else Known(receiver.cls)
            return Method(member.__func__, cls)
        if is_a(member, FunctionType):
            return self._note(Known(member)) if of_class else Method(member, receiver)
        if isinstance(value, Known) and not of_class and name in (own := instance_dict(value.value) or {}):
            return self._note(held(own[name], origin_of(value)))
        if self.runs.owns(type(member)) and find(lineage_of(type(member)), "__get__") is not None:
            return self.special(Known(member), "__get__", value)
        if callable(member) and not is_a(member, type) and not of_class and not _is_plain_callable(member):
            return Method(member, receiver)
        return self._note(held(member, origin_of(value))) if of_class else part_of(value)

    def touch(self, value: Value) -> None:
        """See `World`."""
        origin = origin_of(value)
        if origin is not None:
            self.ran.touched[origin] = None

    def open(self, value: Value) -> None:
        """Looks at what an object holds, or does something with it."""
        origin = origin_of(value)
        if origin is not None:
            self.ran.opened[origin] = None

    def store(self, value: Value, name: str, stored: Value) -> None:
        """See `World`."""
        self.touch(value)
        classes = classes_of(value)
        found = find(classes, name) if classes else None
        if found is not None and is_a(found[1], property) and found[1].fset is not None:
            self._lookup(classes, name)
            self.call(Known(found[1].fset), [value, stored], {}, exact=True)
        elif classes:
            self.special(value, "__setattr__", Known(name), stored)

    def special(self, value: Value, name: str, *args: Value) -> Value:
        """See `World`."""
        self.open(value)
        if isinstance(value, Space):
            list_names(self, value, all_of=name == "__iter__")
            return UNKNOWN
        of_class = isinstance(value, Known) and is_a(value.value, type)
        if value.cls is None or isinstance(value, (Born, Method, Super)):
            if value.cls is None and not isinstance(value, Super):
                self.ran.asked[name] = None
            return UNKNOWN
        classes = lineage_of(value.cls)
        if not any(self.runs.owns(cls) for cls in classes):
            return UNKNOWN if not (of_class and name == "__getitem__") else value
        found = self._lookup(classes, name)
        if found is None or plain_function(found[0]) is None:
            return UNKNOWN
        return self.call(self._bind(Made(value.cls) if of_class else value, found, name), [*args], {}, exact=True)

    # ---- calls

    def call(self, called: Value, args: list[Value], named: Mapping[str, Value], *, exact: bool) -> Value:
        """See `World`."""
        if isinstance(called, Method):
            return self._call_object(called.called, called, [called.receiver, *args], named, exact)
        if isinstance(called, Born):
            given = bound(called.code, args, named, None, exact=exact)
            return self.run(self.runs.born(called, given))
        if isinstance(called, Known):
            return self._call_object(called.value, called, args, named, exact)
        if called.cls is not None and any(self.runs.owns(cls) for cls in lineage_of(called.cls)):
            return self.special(called, "__call__", *args)
        for value in (called, *args):
            self.touch(value)
        return part_of(called)

    def _call_object(
        self, item: Any, called: Value, args: list[Value], named: Mapping[str, Value], exact: bool
    ) -> Value:
        if is_a(item, FunctionType):
            if not self.runs.owns(item):
                return call_outside(self, item, args, named)
            return self.run(self.runs.function(item, bound(item.__code__, args, named, item, exact=exact)))
        if is_a(item, type):
            return self._instance(item, args, named, exact)
        if is_a(item, MethodType):
            return self._call_object(item.__func__, called, [held(item.__self__, None), *args], named, exact)
        if is_a(item, partial):
            first = [held(value, None) for value in item.args]
            return self._call_object(item.func, called, [*first, *args], named, exact)
        if is_a(item, (staticmethod, classmethod)):
            return self._call_object(item.__func__, called, args, named, exact)
        inner = (instance_dict(item) or {}).get("__wrapped__")
        if inner is not None:
            self._note(Known(inner))
            return self._call_object(inner, called, args, named, exact)
        if any(self.runs.owns(cls) for cls in type(item).__mro__):
            return self.special(Known(item), "__call__", *args)
        return call_outside(self, item, args, named)

    def run(self, ran: Ran) -> Value:
        """Runs a function; gives what it returns."""
        self.ran.calls[ran] = None
        return self.runs.look(ran).result

    def _instance(self, cls: type, args: list[Value], named: Mapping[str, Value], exact: bool) -> Value:
        if cls is type and len(args) == 1:
            return UNKNOWN if args[0].cls is None else Known(args[0].cls)
        if not any(self.runs.owns(c) for c in lineage_of(cls)) and not self.runs.owns(type(cls)):
            call_outside(self, cls, args, named)
            return Made(cls) if issubclass(type(cls), type) and cls is not super else UNKNOWN
        self.ran.made[cls] = None
        if self.runs.owns(type(cls)):
            self.special(Known(cls), "__call__", *args)
        for name, first in (("__new__", Known(cls)), ("__init__", Made(cls))):
            found = self._lookup(lineage_of(cls), name)
            function = None if found is None else plain_function(found[0])
            if function is not None and self.runs.owns(function):
                given = bound(function.__code__, [first, *args], named, function, exact=exact)
                self.run(self.runs.function(function, given))
            else:
                for value in (*args, *named.values()) if name == "__init__" else ():
                    self.touch(value)
        for function in called_in_making(cls):
            if self.runs.owns(function):
                self.run(self.runs.function(function))
        return Made(cls)


def plain_function(value: Any) -> FunctionType | None:
    """The function that reading this member of a class leads to."""
    if is_a(value, (staticmethod, classmethod)):
        value = value.__func__
    elif is_a(value, property):
        value = value.fget
    elif not is_a(value, FunctionType) and not is_a(value, type):
        value = (instance_dict(value) or {}).get("__wrapped__") if callable(value) else None
    return value if is_a(value, FunctionType) else None


def _is_plain_callable(member: Any) -> bool:
    return is_a(member, (BuiltinFunctionType, partial, MethodType))


def bound(
    code: CodeType, args: list[Value], named: Mapping[str, Value], function: FunctionType | None, *, exact: bool
) -> dict[str, Value]:
    """What the parameters of a function are bound to; only those of which anything is known."""
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    given = dict(zip(names[: code.co_argcount], args, strict=False))
    given.update((name, value) for name, value in named.items() if name in names)
    if not exact:
        return given
    if function is not None:
        defaults = function.__defaults__ or ()
        for name, value in zip(names[code.co_argcount - len(defaults) : code.co_argcount], defaults, strict=False):
            given.setdefault(name, Known(value))
        for name, value in (function.__kwdefaults__ or {}).items():
            given.setdefault(name, Known(value))
    if code.co_flags & 4:
        given[code.co_varnames[len(names)]] = Items(tuple(args[code.co_argcount :]))
    return given

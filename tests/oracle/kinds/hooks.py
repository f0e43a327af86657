"""Classes that are made by code of the app: hooks, metaclasses, descriptors."""

# ruff: noqa: E501  # templates are read against the source that they give, line by line

from __future__ import annotations

from oracle.kinds.statement import Statement, kind, literal


@kind("hooked", "hooked")
def hooked(s: Statement) -> str:
    n = s.numbers
    second = f"class {s.name}B({s.name}):\n    n = {n[1]}\n    def get(self):\n        return {n[2]}\n" if n[3] > 1 else ""
    return (f"class {s.name}:\n    known = {{}}\n\n    def __init_subclass__(cls, **options):\n        super().__init_subclass__(**options)\n"
            f"        {s.name}.known[cls.__name__] = cls\n\n\nclass {s.name}A({s.name}):\n    n = {n[0]}\n\n\n{second}")  # fmt: skip


@kind("plugin", "plugin", needs="hooked")
def plugin(s: Statement) -> str:
    """A class that a hook of another one registers, in another module perhaps."""
    n = s.numbers
    return f"class {s.name}({s.reads[1]}):\n    n = {n[0]}\n    def get(self):\n        return ({n[1]}, {s.reads[0]})\n"


@kind("keyed hook", "object", suffixes=("A",))
def keyed_hook(s: Statement) -> str:
    """A hook with options, which fills a registry of the module."""
    n = s.numbers
    given = ("", f", key={n[1]}", f", key='{s.name}'", f", key={n[1]}")[n[0]]
    return (f"{s.name}_known = {{}}\n\n\nclass {s.name}:\n    def __init_subclass__(cls, key=None, **options):\n"
            f"        {s.name}_known[key or cls.__name__] = cls\n        cls.key = (key, {n[2]})\n\n\n"
            f"class {s.name}A({s.name}{given}):\n    def get(self):\n        return ({n[3]}, self.key)\n")  # fmt: skip


@kind("descriptor", "descriptor")
def descriptor(s: Statement) -> str:
    n = s.numbers
    setter = f"    def __set__(self, instance, value):\n        instance.__dict__['_' + self.name] = (value, {n[1]})\n" if n[0] > 1 else ""
    return (f"class {s.name}:\n    def __init__(self, default={n[2]}):\n        self.default = default\n    def __set_name__(self, owner, name):\n"
            f"        self.name = name\n    def __get__(self, instance, owner=None):\n        if instance is None:\n            return self\n"
            f"        return (instance.__dict__.get('_' + self.name, self.default), {n[3]})\n{setter}")  # fmt: skip


@kind("described", "class", needs="descriptor")
def described(s: Statement) -> str:
    """A class with descriptors of the app."""
    n, d = s.numbers, s.reads[1]
    second = ("", f"    other = {d}()\n", f"    other = {d}({n[1]})\n", f"    other = {n[1]}\n")[n[0]]
    return f"class {s.name}:\n    price = {d}({literal(n[2])})\n{second}    def get(self):\n        return (self.price, {n[3]}, {s.reads[0]})\n"


@kind("metaclass", "metaclass", suffixes=("_known",))
def metaclass(s: Statement) -> str:
    n = s.numbers
    done = (f"cls.tag = {n[1]}", f"{s.name}_known.append(cls)", f"{s.name}_known.append(name)", "pass")[n[0]]
    call = f"    def __call__(cls, *args, **options):\n        made = super().__call__(*args, **options)\n        made.stamp = {n[3]}\n        return made\n" if n[2] > 1 else ""
    return (f"{s.name}_known = []\n\n\nclass {s.name}(type):\n    def __init__(cls, name, bases, namespace):\n        super().__init__(name, bases, namespace)\n"
            f"        {done}\n{call}    def describe(cls):\n        return (cls.__name__, {n[4]})\n")  # fmt: skip


@kind("of metaclass", "class", needs="metaclass")
def of_metaclass(s: Statement) -> str:
    n = s.numbers
    child = f"\n\nclass {s.name}Child({s.name}):\n    size = {n[2]}\n" if n[0] > 1 else ""
    return f"class {s.name}(metaclass={s.reads[1]}):\n    size = {n[1]}\n    def get(self):\n        return ({n[3]}, {s.reads[0]})\n{child}"

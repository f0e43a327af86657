"""Classes, hierarchies of them, and what stands in their bodies."""

# ruff: noqa: E501  # templates are read against the source that they give, line by line

from __future__ import annotations

from oracle.kinds.statement import Statement, kind, literal


@kind("class", "class", "base")
def plain_class(s: Statement) -> str:
    n = s.numbers
    members = [f'    """A class, {n[3]}."""\n'] if n[3] else []
    members.append(f"    limit = {literal(n[1])}\n    derived = (limit, {s.reads[0]})\n")
    members.append(f"    def __init__(self, a={n[2]}):\n        self.a = a\n        self.kept = [{s.reads[0]}]\n")
    members.append(f"    def method(self):\n        return (self.a, {n[4]}, {s.reads[0]})\n")
    kind_ = ("property", "staticmethod", "classmethod", "functools.cached_property")[n[0]]
    own = "" if kind_ == "staticmethod" else "self"
    members.append(f"    @{kind_}\n    def special({own}):\n        return {n[4]}\n")
    if n[4] > 1:
        members.append("    def __eq__(self, other):\n        return type(self) is type(other)\n")
    if n[2] > 1:
        members.append(f"    class Inner:\n        depth = {n[4]}\n        def look(self):\n            return __class__.depth\n")
    return f"class {s.name}:\n" + "\n".join(members)


@kind("accessors", "class", "base")
def accessors(s: Statement) -> str:
    """Properties with setters and deleters."""
    n = s.numbers
    setter = f"    @size.setter\n    def size(self, value: {('int', 'str', 'object', 'float')[n[1]]}):\n        self._size = (value, {n[2]})\n"
    deleter = f"    @size.deleter\n    def size(self):\n        self._size = {n[3]}\n"
    last = ("", setter, setter + deleter, "    def set_size(self, value):\n        self._size = value\n    size = size.setter(set_size)\n")[n[0]]
    doc = f'        """Size {n[3]}."""\n' if n[3] else ""
    return (f"class {s.name}:\n    def __init__(self, a={n[2]}):\n        self._size = a\n\n    @property\n    def size(self):\n{doc}"
            f"        return (self._size, {n[4]}, {s.reads[0]})\n\n{last}")  # fmt: skip


@kind("child", "class", needs="base")
def child_class(s: Statement) -> str:
    n = s.numbers
    method = ("", f"    def method(self):\n        return {n[1]}\n", f"    limit = {n[2]}\n", f"    def other(self):\n        return {n[1]}\n")[n[0]]
    return f"class {s.name}({s.reads[1]}):\n    extra = {n[3]}\n{method}"


@kind("super", "class", needs="base")
def super_class(s: Statement) -> str:
    """A hierarchy of its own on a base of the app, with ``super()`` on two levels, and a mixin that may be there."""
    n, base = s.numbers, s.reads[1]
    mixed = (base, f"{s.name}Mixin, {base}", base, f"{base}, {s.name}Mixin")[n[0]]
    return (f"class {s.name}Mixin:\n    def describe(self):\n        return ('mixin', {n[1]})\n\n\n"
            f"class {s.name}Middle({mixed}):\n    def __init__(self, *args, b={n[2]}):\n        super().__init__(*args)\n        self.b = b\n"
            + (f"    def describe(self):\n        return ({n[3]}, self.b)\n" if n[3] else "")
            + f"\n\nclass {s.name}({s.name}Middle):\n    def __init__(self):\n        super().__init__()\n        self.c = {s.reads[0]}\n"
              f"    def last(self):\n        return (super().__repr__ is not None, {n[4]}, self.c)\n")  # fmt: skip


@kind("slots", "class")
def slots(s: Statement) -> str:
    n = s.numbers
    names = "('a', 'b')" if n[0] or n[4] else "('a', 'c')"
    return f"class {s.name}:\n    __slots__ = {names}\n\n    def __init__(self, a={n[1]}):\n        self.a = a\n\n    def get(self):\n        return (self.a, {n[2]})\n"


@kind("abstract", "abstract", suffixes=("Full",))
def abstract(s: Statement) -> str:
    n = s.numbers
    second = "    @abc.abstractmethod\n    def more(self): ...\n" if n[0] > 1 else f"    def more(self):\n        return {n[1]}\n"
    third = ("", "    @property\n    @abc.abstractmethod\n    def third(self): ...\n")[n[4] // 3]
    full = f"    third = {n[2]}\n" if n[4] > 1 else ""
    return (f"class {s.name}(abc.ABC):\n    @abc.abstractmethod\n    def get(self): ...\n\n{second}\n{third}\n\nclass {s.name}Full({s.name}):\n"
            f"    def get(self):\n        return {n[2]}\n\n    def more(self):\n        return {n[3]}\n{full}")  # fmt: skip


@kind("protocol", "protocol", suffixes=("Real",))
def protocol(s: Statement) -> str:
    n = s.numbers
    checked = "@typing.runtime_checkable\n" if n[0] else ""
    members = ("    def get(self) -> int: ...\n", "    def get(self) -> str: ...\n    size: int\n",
               f"    def get(self): ...\n    def more(self, a={n[2]}): ...\n", f"    size: int = {n[2]}\n    def get(self): ...\n")[n[1]]  # fmt: skip
    real = f"({s.name})" if n[3] > 1 else ""
    return f"{checked}class {s.name}(typing.Protocol):\n{members}\n\nclass {s.name}Real{real}:\n    def get(self):\n        return {n[4]}\n"


@kind("generic", "generic", suffixes=("T", "Alias"))
def generic(s: Statement) -> str:
    n = s.numbers
    return (f"{s.name}T = typing.TypeVar('{s.name}T')\n\n\nclass {s.name}(typing.Generic[{s.name}T]):\n    def get(self) -> {s.name}T:\n        return {n[0]}\n\n\n"
            f"{s.name}Alias = {s.name}[{('int', 'str', 'int', 'int')[n[1]]}]\n")  # fmt: skip


@kind("generic class", "class", since=(3, 12))
def generic_class(s: Statement) -> str:
    n = s.numbers
    return f"class {s.name}[T]:\n    def get(self, a: T = {literal(n[0])}) -> T:\n        return (a, {n[1]})\n\n    def more[U](self, b: {('U', 'T', 'int', 'U')[n[2]]} = {n[3]}):\n        return b\n"


@kind("methods", "class")
def methods(s: Statement) -> str:
    """Methods that functools and decorators of the body make."""
    n = s.numbers
    second = (f"    @functools.singledispatchmethod\n    def second(self, a=0):\n        return {n[1]}\n    @second.register(int)\n    def _(self, a):\n        return ('int', {n[2]})\n",
              f"    def base(self, a=0):\n        return (a, {n[1]})\n    second = functools.partialmethod(base, {n[2]})\n",
              f"    @functools.lru_cache\n    def second(self):\n        return {n[1]}\n",
              f"    def _mark(function):\n        function.mark = {n[2]}\n        return function\n    @_mark\n    def second(self):\n        return {n[1]}\n    del _mark\n")[n[0]]  # fmt: skip
    third = (f"    def __getattr__(self, name):\n        if name == 'missing':\n            return {n[3]}\n        raise AttributeError(name)\n",
             f"    def __class_getitem__(cls, item):\n        return ({n[3]}, item)\n",
             f"    def __enter__(self):\n        return {n[3]}\n    def __exit__(self, *raised):\n        return None\n",
             f"    async def third(self):\n        return {n[3]}\n    first = second_alias = lambda self: {n[3]}\n")[n[4]]  # fmt: skip
    return f"class {s.name}:\n{second}\n{third}"


@kind("members", "class")
def members(s: Statement) -> str:
    """Members that are bound under a condition, in a loop, or computed from others."""
    n = s.numbers
    return (f"class {s.name}:\n    size = {n[0]}\n    table = {{'size': size, 'read': {s.reads[0]}}}\n    if size > {n[1]}:\n        def big(self):\n            return {n[2]}\n"
            f"    else:\n        small = {n[2]}\n    sizes = []\n    for _letter in {('ab', 'abc', 'b', '')[n[3]]!r}:\n        sizes.append((_letter, {n[4]}))\n"
            "    get = lambda self: self.size\n    again = get\n")  # fmt: skip

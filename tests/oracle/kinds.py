"""The kinds of statements that made-up modules consist of, and how each is written.

A statement has a kind, the name that it binds, a few small numbers that choose among its variants, and the names that it
reads. What it calls at import is of the app or the standard library and gives the same every time.
"""

# ruff: noqa: E501  # templates are read against the source that they give, line by line

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

VARIANTS = 4
"""Each number is below this."""
NUMBERS = 5
"""How many numbers a statement has."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a module."""

    kind: str
    name: str
    numbers: tuple[int, ...]
    reads: tuple[str, ...] = ()
    """Names of constants or callables bound before, as its kind wants them."""
    comment: int = 0
    """How many lines of comment stand before it."""


def _literal(n: int) -> str:
    return ("1", "'two'", "(3, 'x')", "4.5")[n]


def _const(s: Statement) -> str:
    return f"{s.name} = {_literal(s.numbers[0])}"


def _derived(s: Statement) -> str:
    a = s.reads[0]
    value = (f"({a}, {s.numbers[1]})", f'f"<{{{a}}}>"', f"{a} if {a} else 0", f"({a},) * 2")[s.numbers[0]]
    return f"{s.name} = {value}"


def _annotated(s: Statement) -> str:
    return f"{s.name}: {('int', 'str', 'object', 'tuple')[s.numbers[0]]} = {_literal(s.numbers[1])}"


def _pair(s: Statement) -> str:
    return f"{s.name}, {s.name}_b = {_literal(s.numbers[0])}, {_literal(s.numbers[1])}"


def _state(s: Statement) -> str:
    value = ("[]", "{}", f"[{s.reads[0]}]", f"{{'k': {s.reads[0]}}}")[s.numbers[0]]
    return f"{s.name} = {value}"


def _counter(s: Statement) -> str:
    return (f"{s.name}_n = {s.numbers[0]}\n\n\ndef count_{s.name}():\n    global {s.name}_n\n"
            f"    {s.name}_n += {s.numbers[1] + 1}\n    return {s.name}_n\n")  # fmt: skip


def _body(s: Statement, indent: str = "    ") -> str:
    a = s.reads[0]
    lines = [f'"""Says {s.numbers[3]}."""'] if s.numbers[3] else []
    lines += [
        [f"return {a}"],
        [f"x = {_literal(s.numbers[1])}", f"return (x, {a})"],
        [f"inner = lambda y={_literal(s.numbers[1])}: (y, {a})", "return inner()"],
        ["def inner():", f"    return ({a}, {s.numbers[1]}, where)", "where = 'local'", "return inner"],
    ][s.numbers[2]]
    return "".join(f"{indent}{line}\n" for line in lines)


def _signature(s: Statement) -> str:
    return ("", f"a={s.reads[0]}", f"a={_literal(s.numbers[1])}, *, b: int = {s.numbers[2]}", "*args, k=(), **rest")[
        s.numbers[0]
    ]


def _function(s: Statement) -> str:
    returns = ("", " -> object", " -> typing.Any", "")[s.numbers[4]]
    return f"def {s.name}({_signature(s)}){returns}:\n{_body(s)}"


def _async_function(s: Statement) -> str:
    return f"async def {s.name}({_signature(s)}):\n{_body(s)}"


def _generator(s: Statement) -> str:
    decorator = ("", "@contextlib.contextmanager\n", "@functools.cache\n", "@functools.lru_cache(maxsize=8)\n")[
        s.numbers[0]
    ]
    return f"{decorator}def {s.name}():\n    yield {s.reads[0]}\n    yield {s.numbers[1]}\n"


def _decorated(s: Statement) -> str:
    wrap = (f"wrap_{s.name}", f"wrap_{s.name}", "functools.cache", "functools.wraps(wrap_" + s.name + ")")[s.numbers[0]]
    return (f"def wrap_{s.name}(function):\n    @functools.wraps(function)\n    def wrapper(*args, **kwargs):\n"
            f"        return ({s.numbers[1]}, function(*args, **kwargs))\n    return wrapper\n\n\n"
            f"@{wrap}\ndef {s.name}():\n{_body(s)}")  # fmt: skip


def _registry(s: Statement) -> str:
    key = (f"'{s.name}'", "'fixed'", s.reads[0], f"{s.numbers[1]}")[s.numbers[0]]
    return (f"{s.name}_all = {{}}\n{s.name}_order = []\n\n\ndef {s.name}_add(key, *marks):\n    def take(function):\n"
            f"        {s.name}_all[key] = function\n        {s.name}_order.append((key, function, marks))\n"
            f"        return function\n    return take\n\n\n@{s.name}_add({key}, {s.numbers[2]})\ndef {s.name}():\n{_body(s)}\n\n"
            + (f"@{s.name}_add('second')\ndef {s.name}_second():\n    return {s.numbers[4]}\n" if s.numbers[3] else ""))  # fmt: skip


def _registered(s: Statement) -> str:
    return f"@{s.reads[1]}_add({s.name!r}, {s.numbers[1]})\ndef {s.name}():\n{_body(s)}"


def _maker(s: Statement) -> str:
    return (f"def make_{s.name}(n={s.numbers[1]}):\n    m = {s.reads[0]}\n    def inner(x={s.numbers[0]}):\n"
            f"        return {('(x, n)', '(x, n, m)', '(m, x)', 'x')[s.numbers[2]]}\n    return inner\n\n\n"
            f"{s.name} = make_{s.name}({s.numbers[3]})\n")  # fmt: skip


def _lambda(s: Statement) -> str:
    return f"{s.name} = {('', 'functools.partial', '', '')[s.numbers[0]]}(lambda x={s.numbers[1]}: (x, {s.reads[0]}, {s.numbers[2]}))"


def _table(s: Statement) -> str:
    return f"{s.name} = {{'a': {s.reads[0]}, 'b': (lambda: {s.numbers[1]}), 'c': [{s.numbers[2]}]}}"


def _plain_class(s: Statement) -> str:
    n = s.numbers
    members = [f'    """A class, {n[3]}."""\n'] if n[3] else []
    members.append(f"    limit = {_literal(n[1])}\n    derived = (limit, {s.reads[0]})\n")
    members.append(f"    def __init__(self, a={n[2]}):\n        self.a = a\n        self.kept = [{s.reads[0]}]\n")
    members.append(f"    def method(self):\n        return (self.a, {n[4]}, {s.reads[0]})\n")
    kind = ("property", "staticmethod", "classmethod", "functools.cached_property")[n[0]]
    own = "" if kind == "staticmethod" else "self"
    members.append(f"    @{kind}\n    def special({own}):\n        return {n[4]}\n")
    if n[4] > 1:
        members.append("    def __eq__(self, other):\n        return type(self) is type(other)\n")
    if n[2] > 1:
        members.append(
            f"    class Inner:\n        depth = {n[4]}\n        def look(self):\n            return __class__.depth\n"
        )
    base = f"({s.reads[1]})" if len(s.reads) > 1 else ""
    return f"class {s.name}{base}:\n" + "\n".join(members)


def _child_class(s: Statement) -> str:
    base = s.reads[1]
    n = s.numbers
    method = ("", f"    def method(self):\n        return (super().method(), {n[1]})\n",
              f"    limit = {n[2]}\n", f"    def other(self):\n        return {n[1]}\n")[n[0]]  # fmt: skip
    return f"class {s.name}({base}):\n    extra = {n[3]}\n{method}"


def _dataclass(s: Statement) -> str:
    n = s.numbers
    options = ("", "(frozen=True)", "(order=True)", "(slots=True)" if n[4] == 3 else "(kw_only=True)")[n[0]]
    third = "    c: list = dataclasses.field(default_factory=list)\n" if n[3] > 1 else ""
    return (f"@dataclasses.dataclass{options}\nclass {s.name}:\n    a: int = {n[1]}\n    b: object = {s.reads[0]}\n{third}"
            f"    def total(self):\n        return (self.a, {n[2]})\n")  # fmt: skip


def _enum(s: Statement) -> str:
    n = s.numbers
    base = ("enum.Enum", "enum.IntEnum", "enum.Enum", "enum.IntFlag")[n[4]]
    third = f"    THREE = {n[2] + 10}\n" if n[3] > 1 else ""
    return f"class {s.name}({base}):\n    ONE = {n[1] + 1}\n    TWO = {n[0] + 20}\n{third}\n    def tell(self):\n        return {n[3]}\n"


def _tuple_class(s: Statement) -> str:
    n = s.numbers
    if n[0] > 1:
        return f"{s.name} = collections.namedtuple('{s.name}', 'a b{(' c' if n[1] > 1 else '')}', defaults=({n[2]}, {n[3]}))"
    third = f"    c: str = '{n[2]}'\n" if n[1] > 1 else ""
    return f"class {s.name}(typing.NamedTuple):\n    a: int = {n[3]}\n{third}\n    def both(self):\n        return (self.a, {n[4]})\n"


def _slots(s: Statement) -> str:
    n = s.numbers
    slots = "('a', 'b')" if n[0] < 3 else "('a', 'c')"
    return f"class {s.name}:\n    __slots__ = {slots}\n\n    def __init__(self, a={n[1]}):\n        self.a = a\n\n    def get(self):\n        return (self.a, {n[2]})\n"


def _abstract(s: Statement) -> str:
    n = s.numbers
    second = (
        "    @abc.abstractmethod\n    def more(self): ...\n"
        if n[0] > 1
        else f"    def more(self):\n        return {n[1]}\n"
    )
    return f"class {s.name}(abc.ABC):\n    @abc.abstractmethod\n    def get(self): ...\n\n{second}\n\nclass {s.name}Full({s.name}):\n    def get(self):\n        return {n[2]}\n\n    def more(self):\n        return {n[3]}\n"


def _hooked(s: Statement) -> str:
    n = s.numbers
    return (f"class {s.name}:\n    known = {{}}\n\n    def __init_subclass__(cls, **options):\n        super().__init_subclass__(**options)\n"
            f"        {s.name}.known[cls.__name__] = cls\n\n\nclass {s.name}A({s.name}):\n    n = {n[0]}\n\n\n"
            + (f"class {s.name}B({s.name}):\n    n = {n[1]}\n    def get(self):\n        return {n[2]}\n" if n[3] > 1 else ""))  # fmt: skip


def _generic(s: Statement) -> str:
    n = s.numbers
    return (f"{s.name}T = typing.TypeVar('{s.name}T')\n\n\nclass {s.name}(typing.Generic[{s.name}T]):\n    def get(self) -> {s.name}T:\n        return {n[0]}\n\n\n"
            f"{s.name}Alias = {s.name}[{('int', 'str', 'int', 'int')[n[1]]}]\n")  # fmt: skip


def _if(s: Statement) -> str:
    return (f"if {s.numbers[0]} > 1:\n    def {s.name}():\n        return {s.numbers[1]}\nelse:\n    def {s.name}():\n        return ('no', {s.numbers[2]})\n"
            f"    {s.name}_flag = {s.numbers[3]}\n")  # fmt: skip


def _try(s: Statement) -> str:
    missing = ("not_there", "json", "not_there_either", "math")[s.numbers[0]]
    return f"try:\n    import {missing} as {s.name}\nexcept ImportError:\n    {s.name} = {_literal(s.numbers[1])}\n"


def _for(s: Statement) -> str:
    n = s.numbers
    return f"{s.name} = []\nfor {s.name}_i in range({n[0] + 1}):\n    {s.name}.append({s.name}_i * {n[1] + 1})\n"


def _dispatch(s: Statement) -> str:
    n = s.numbers
    more = (
        f"\n\n@{s.name}.register\ndef _(value: {('str', 'list', 'str', 'tuple')[n[1]]}):\n    return ('more', {n[2]})\n"
        if n[0] > 1
        else ""
    )
    return f"@functools.singledispatch\ndef {s.name}(value=None):\n    return {n[3]}\n\n\n@{s.name}.register(int)\ndef {s.name}_int(value):\n    return ('int', {n[4]})\n{more}"


def _alias(s: Statement) -> str:
    return f"{s.name} = {s.reads[1]}"


def _instance(s: Statement) -> str:
    return f"{s.name} = {s.reads[1]}()"


def _attribute(s: Statement) -> str:
    return f"{s.reads[1]}.mark_{s.name} = {_literal(s.numbers[0])}\n{s.name} = {s.reads[1]}.mark_{s.name}"


KINDS: dict[str, Callable[[Statement], str]] = {
    "const": _const, "derived": _derived, "annotated": _annotated, "pair": _pair, "state": _state, "counter": _counter,
    "function": _function, "async": _async_function, "generator": _generator, "decorated": _decorated,
    "registry": _registry, "registered": _registered, "maker": _maker, "lambda": _lambda, "table": _table,
    "class": _plain_class, "child": _child_class, "dataclass": _dataclass, "enum": _enum, "tuple": _tuple_class,
    "slots": _slots, "abstract": _abstract, "hooked": _hooked, "generic": _generic, "if": _if, "try": _try, "for": _for,
    "dispatch": _dispatch, "alias": _alias, "instance": _instance, "attribute": _attribute,
}  # fmt: skip
NEEDS = {"registered": "registry", "child": "class", "alias": "function", "instance": "class", "attribute": "function"}


def render(statement: Statement) -> str:
    """The statement's source, imports of its own included."""
    if statement.kind == "import":
        module, names = statement.reads[0], statement.reads[1:]
        form = statement.numbers[0]
        return (
            f"from .{module} import {', '.join(names)}"
            if form
            else f"from . import {module}\nfrom .{module} import {', '.join(names)}"
        )
    comment = f"# note {statement.comment}\n" * statement.comment
    return f"\n\n{comment}{KINDS[statement.kind](statement)}"

"""Functions of all sorts: plain, overloaded, asynchronous, generators, closures and what makes them."""

# ruff: noqa: E501  # templates are read against the source that they give, line by line

from __future__ import annotations

from oracle.kinds.statement import Statement, body, kind, literal, signature


@kind("function", "function")
def function(s: Statement) -> str:
    returns = ("", " -> object", " -> typing.Any", "")[s.numbers[4]]
    return f"def {s.name}({signature(s)}){returns}:\n{body(s)}"


@kind("overloads", "function")
def overloads(s: Statement) -> str:
    n = s.numbers
    kinds = ("int", "str", "bytes", "float")
    forms = "".join(f"@typing.overload\ndef {s.name}(a: {kinds[(n[1] + i) % 4]}) -> {kinds[i]}: ...\n\n\n" for i in range(n[0] + 1))
    return f"{forms}def {s.name}(a={literal(n[4])}):\n{body(s)}"


@kind("async", "function")
def async_function(s: Statement) -> str:
    n = s.numbers
    if n[4] < 2:
        return f"async def {s.name}({signature(s)}):\n{body(s)}"
    if n[4] == 2:
        return f"async def {s.name}():\n    yield {s.reads[0]}\n    yield {n[1]}\n"
    return (f"@contextlib.asynccontextmanager\nasync def {s.name}():\n    try:\n        yield ({s.reads[0]}, {n[1]})\n"
            f"    finally:\n        pass\n")  # fmt: skip


@kind("generator", "function")
def generator(s: Statement) -> str:
    n = s.numbers
    decorator = ("", "@contextlib.contextmanager\n", "@functools.cache\n", "@functools.lru_cache(maxsize=8)\n")[n[0]]
    second = ("", f"    yield {n[1]}\n", f"    yield from ({n[1]}, {n[2]})\n", f"    try:\n        yield {n[1]}\n    finally:\n        pass\n")[n[3]]
    return f"{decorator}def {s.name}():\n    yield {s.reads[0]}\n{second}"


@kind("maker", "closure", suffixes=("_make",))
def maker(s: Statement) -> str:
    n = s.numbers
    result = ("(x, n)", "(x, n, m)", "(m, x)", "x")[n[2]]
    return (f"def {s.name}_make(n={n[1]}):\n    m = {s.reads[0]}\n    def inner(x={n[0]}):\n"
            f"        return {result}\n    return inner\n\n\n{s.name} = {s.name}_make({n[3]})\n")  # fmt: skip


@kind("counting", "closure", suffixes=("_make",))
def counting(s: Statement) -> str:
    """A factory of closures that share a variable."""
    n = s.numbers
    return (f"def {s.name}_make(start={n[0]}):\n    count = start\n    def up(by={n[1] + 1}):\n        nonlocal count\n        count += by\n"
            f"        return {('0', 'by', '(by, ' + s.reads[0] + ')', repr('n'))[n[2]]}\n    def read():\n        return {n[3]}\n"
            f"    return {('up', 'up', 'up, read', '{' + repr('up') + ': up, ' + repr('read') + ': read}')[n[4]]}\n\n\n"
            f"{s.name} = {s.name}_make()\n")  # fmt: skip


@kind("from constant", "closure", suffixes=("_make", "_SIZE"))
def from_constant(s: Statement) -> str:
    """A factory whose closures take a default from a constant of the module."""
    n = s.numbers
    default = (f"{s.name}_SIZE", f"({s.name}_SIZE, {n[2]})", f"{s.reads[0]}", f"{s.name}_SIZE * 2")[n[1]]
    return (f"{s.name}_SIZE = {literal(n[0])}\n\n\ndef {s.name}_make():\n    def inner(x={default}):\n        return (x, {n[3]})\n"
            f"    return inner\n\n\n{s.name} = {s.name}_make()\n")  # fmt: skip


@kind("lambda", "closure")
def lambda_(s: Statement) -> str:
    n = s.numbers
    return f"{s.name} = {('', 'functools.partial', '', '')[n[0]]}(lambda x={n[1]}: (x, {s.reads[0]}, {n[2]}))"


@kind("partial", "closure", needs="function")
def partial(s: Statement) -> str:
    n = s.numbers
    return f"{s.name} = functools.partial({s.reads[1]}{('', ', 1', ', k=2', '')[n[0]]})"


@kind("dispatch", "object", suffixes=("_int",))
def dispatch(s: Statement) -> str:
    n = s.numbers
    kinds = ("str", "list", "bytes", "tuple")
    more = f"\n\n@{s.name}.register({kinds[n[1]]})\ndef _(value):\n    return ('more', {n[2]})\n" if n[0] > 1 else ""
    return (f"@functools.singledispatch\ndef {s.name}(value=None):\n    return {n[3]}\n\n\n@{s.name}.register(int)\n"
            f"def {s.name}_int(value):\n    return ('int', {n[4]})\n{more}")  # fmt: skip


@kind("generic function", "function", since=(3, 12))
def generic_function(s: Statement) -> str:
    n = s.numbers
    bound = ("T", "T: int", "T, U", "*T")[n[0]]
    return f"def {s.name}[{bound}](a: {'T' if n[0] < 3 else 'tuple'} = {literal(n[1])}) -> {('int', 'object', 'str', 'None')[n[4]]}:\n{body(s)}"


@kind("module attribute", single=True)
def module_attribute(s: Statement) -> str:
    n = s.numbers
    listed = f"\n\n\ndef __dir__():\n    return ['{s.name}', {n[3]!r}]\n" if n[2] > 1 else ""
    return (f"def __getattr__(name):\n    if name == '{s.name}_lazy':\n        return ({s.reads[0]}, {n[0]})\n"
            f"    raise AttributeError(name{'' if n[1] < 2 else ' + ' + repr('!')})\n{listed}")  # fmt: skip

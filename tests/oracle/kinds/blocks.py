"""Statements that contain others: conditions, attempts, loops."""

# ruff: noqa: E501  # templates are read against the source that they give, line by line

from __future__ import annotations

from oracle.kinds.statement import Statement, kind, literal


@kind("if")
def if_(s: Statement) -> str:
    n = s.numbers
    return (f"if {n[0]} > 1:\n    def {s.name}():\n        return {n[1]}\nelse:\n    def {s.name}():\n        return ('no', {n[2]})\n"
            f"    {s.name}_flag = {n[3]}\n")  # fmt: skip


@kind("conditional", "function")
def conditional(s: Statement) -> str:
    """A definition under a condition that reads a constant, or the version of Python."""
    n = s.numbers
    test = ("sys.version_info >= (3, 8)", "sys.version_info < (3, 8)", f"{s.reads[0]}", f"not {s.reads[0]}")[n[0]]
    first = f"    def {s.name}(a={n[1]}):\n        return (a, {n[2]})\n"
    second = (f"    def {s.name}():\n        return ('else', {n[3]})\n", f"    {s.name} = lambda: {n[3]}\n",
              f"    class {s.name}:\n        size = {n[3]}\n", f"    @functools.cache\n    def {s.name}():\n        return {n[3]}\n")[n[4]]  # fmt: skip
    return f"if {test}:\n{first}else:\n{second}"


@kind("block")
def block(s: Statement) -> str:
    """A definition in a block that also registers it."""
    n = s.numbers
    return (f"{s.name}_calls = []\nif {n[0]} < 3:\n    def {s.name}():\n        return ({n[1]}, {s.reads[0]})\n    {s.name}_calls.append({s.name})\n"
            + (f"    {s.name}_calls.append({n[3]})\n" if n[2] else ""))  # fmt: skip


@kind("type checking", "function")
def type_checking(s: Statement) -> str:
    n = s.numbers
    imported = ("Decimal", "Context", "Decimal", "Clamped")[n[0]]
    other = f"else:\n    {imported} = {literal(n[3])}\n" if n[4] == 3 else ""
    return (f"if typing.TYPE_CHECKING:\n    from decimal import {imported}\n{other}\n\n"
            f"def {s.name}(a: '{imported}' = {literal(n[1])}) -> '{imported}':\n    return (a, {n[2]})\n")  # fmt: skip


@kind("try")
def try_(s: Statement) -> str:
    n = s.numbers
    missing = ("not_there", "json", "not_there_either", "math")[n[0]]
    return f"try:\n    import {missing} as {s.name}\nexcept ImportError:\n    {s.name} = {literal(n[1])}\n"


@kind("attempt", "value")
def attempt(s: Statement) -> str:
    """What an import gives, or what stands in for it."""
    n = s.numbers
    module, name = (("not_there", "x"), ("math", "pi"), ("math", "tau"), ("math", "not_there"))[n[0]]
    last = f"else:\n    {s.name}_HAVE = {n[2]}\n" if n[3] > 1 else ""
    return f"try:\n    from {module} import {name} as {s.name}\nexcept ImportError:\n    {s.name} = {literal(n[1])}\n    {s.name}_HAVE = False\n{last}"


@kind("for", "state")
def for_(s: Statement) -> str:
    n = s.numbers
    return f"{s.name} = []\nfor {s.name}_i in range({n[0] + 1}):\n    {s.name}.append({s.name}_i * {n[1] + 1})\n"


@kind("filled", "state")
def filled(s: Statement) -> str:
    n = s.numbers
    return (f"{s.name} = {{}}\n{s.name}['a'] = {n[0]}\n{s.name}.update(b={s.reads[0]}, c={n[1]})\n"
            + (f"{s.name}['d'] = [{n[2]}]\n" if n[3] > 1 else f"{s.name}.setdefault('e', {n[4]})\n"))  # fmt: skip


@kind("with")
def with_(s: Statement) -> str:
    n = s.numbers
    return f"with contextlib.suppress(ZeroDivisionError):\n    {s.name} = {n[0]}\n    {s.name}_b = 1 // {n[1] % 2}\n"


@kind("match")
def match(s: Statement) -> str:
    n = s.numbers
    return f"match {n[0]}:\n    case {n[1]}:\n        {s.name} = ('one', {n[2]})\n    case _:\n        {s.name} = {s.reads[0]}\n"

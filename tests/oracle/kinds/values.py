"""Constants, what is computed from them, and containers."""

# ruff: noqa: E501  # templates are read against the source that they give, line by line

from __future__ import annotations

from oracle.kinds.statement import Statement, kind, literal


@kind("const", "value")
def const(s: Statement) -> str:
    return f"{s.name} = {literal(s.numbers[0])}"


@kind("derived", "value")
def derived(s: Statement) -> str:
    a = s.reads[0]
    value = (f"({a}, {s.numbers[1]})", f'f"<{{{a}}}>"', f"{a} if {a} else 0", f"({a},) * 2")[s.numbers[0]]
    return f"{s.name} = {value}"


@kind("computed", "value")
def computed(s: Statement) -> str:
    """Through builtins, and from two constants of which one is its own."""
    a, n = s.reads[0], s.numbers
    value = (f"len(str({a})) * {s.name}_UNIT", f"max(len(repr({a})), {s.name}_UNIT)",
             f"tuple(sorted(str({a}), reverse={n[2] > 1}))", f"frozenset((str({a}), {s.name}_UNIT))")[n[0]]  # fmt: skip
    return f"{s.name}_UNIT = {n[1]} * 60\n{s.name} = {value}"


@kind("called", "value", needs="function")
def called(s: Statement) -> str:
    """Computed by a function of the app."""
    return f"{s.name} = ({s.numbers[0]}, {s.reads[1]} is None, str({s.reads[0]}), {s.numbers[1]})"


@kind("rate", "value", suffixes=("_rate",))
def rate(s: Statement) -> str:
    """A constant that a function of the same module computes."""
    n = s.numbers
    return f"def {s.name}_rate():\n    return ({s.reads[0]}, {n[0]})\n\n\n{s.name} = ({s.name}_rate(), {n[1]})"


@kind("annotated", "value")
def annotated(s: Statement) -> str:
    return f"{s.name}: {('int', 'str', 'typing.Final', 'tuple')[s.numbers[0]]} = {literal(s.numbers[1])}"


@kind("pair", "value", suffixes=("_b",))
def pair(s: Statement) -> str:
    n = s.numbers
    if n[2] == 3:
        return f"{s.name} = {s.name}_b = {literal(n[0])}"
    return f"{s.name}, {s.name}_b = {literal(n[0])}, {literal(n[1])}"


@kind("stepwise", "value")
def stepwise(s: Statement) -> str:
    """Bound by more than one statement."""
    n = s.numbers
    second = (f"{s.name} += (str({s.reads[0]}), {n[1]})", f"{s.name} = ({s.name}, {n[1]})",
              f"{s.name} = {s.name} * {n[1] + 1}", "")[n[2]]  # fmt: skip
    return f"{s.name} = ({n[0]},)\n{second}"


@kind("temporary", "value")
def temporary(s: Statement) -> str:
    """Computed from a name that goes again."""
    n = s.numbers
    last = (f"del {s.name}_tmp", f"del {s.name}_tmp", "", f"{s.name}_tmp = None")[n[2]]
    return f"{s.name}_tmp = {literal(n[0])}\n{s.name} = ({s.name}_tmp, {n[1]}, {s.reads[0]})\n{last}"


@kind("state", "state")
def state(s: Statement) -> str:
    value = ("[]", "{}", f"[{s.reads[0]}]", f"{{'k': {s.reads[0]}}}")[s.numbers[0]]
    return f"{s.name} = {value}"


@kind("counter", "counter", suffixes=("_n",))
def counter(s: Statement) -> str:
    n = s.numbers
    return (f"{s.name}_n = {n[0]}\n\n\ndef {s.name}_count():\n    global {s.name}_n\n    {s.name}_n += {n[1] + 1}\n"
            f"    return {s.name}_n\n")  # fmt: skip


@kind("table", "state")
def table(s: Statement) -> str:
    n = s.numbers
    return f"{s.name} = {{'a': {s.reads[0]}, 'b': (lambda: {n[1]}), 'c': [{n[2]}]}}"


@kind("handlers", "state", needs="function")
def handlers(s: Statement) -> str:
    """A table of functions by name."""
    n, f = s.numbers, s.reads[1]
    return (f"{s.name} = {{'a': {f}, 'b': {n[0]}}}", f"{s.name} = [{f}, {n[0]}]", f"{s.name} = ({f}, {n[0]})",
            f"{s.name} = dict(a={f}, b=[{f}])")[n[1]]  # fmt: skip


@kind("comprehended", "state")
def comprehended(s: Statement) -> str:
    n = s.numbers
    over = f"range({n[0] + 1})"
    return (f"{s.name} = [(i, {n[2]}) for i in {over}]", f"{s.name} = {{i: str({s.reads[0]}) for i in {over}}}",
            f"{s.name} = {{i * {n[2] + 1} for i in {over}}}", f"{s.name} = [lambda i=i: i for i in {over}]")[n[1]]  # fmt: skip


@kind("pattern", "object")
def pattern(s: Statement) -> str:
    """An object of a library, computed from constants."""
    n = s.numbers
    return (f"{s.name} = re.compile('a{n[0]}')", f"{s.name} = datetime.timedelta(days={n[0]})",
            f"{s.name} = collections.Counter('a' * {n[0]})", f"{s.name} = typing.NewType('{s.name}', {('int', 'str')[n[0] % 2]})",
            )[n[1]]  # fmt: skip


@kind("alias", "function", needs="function")
def alias(s: Statement) -> str:
    return f"{s.name} = {s.reads[1]}"


@kind("instance", "instance", needs="class")
def instance(s: Statement) -> str:
    return f"{s.name} = {s.reads[1]}()"


@kind("attribute", "object", needs="function")
def attribute(s: Statement) -> str:
    last = s.name  # of an attribute, the owner may be dotted, its name not
    return f"{s.reads[1]}.mark_{last} = {literal(s.numbers[0])}\n{s.name} = {s.reads[1]}.mark_{last}"

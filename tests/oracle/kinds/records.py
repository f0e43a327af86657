"""Classes that derive from what their body declares: dataclasses, enums, tuples, typed dictionaries."""

# ruff: noqa: E501  # templates are read against the source that they give, line by line

from __future__ import annotations

from oracle.kinds.statement import Statement, kind, literal


@kind("dataclass", "record")
def dataclass(s: Statement) -> str:
    n = s.numbers
    options = ("", "(frozen=True)" if n[4] else "(eq=False)", "(order=True)", "(slots=True)" if n[4] == 3 else "(kw_only=True)")[n[0]]
    third = "    c: list = dataclasses.field(default_factory=list)\n" if n[3] > 1 else ""
    return (f"@dataclasses.dataclass{options}\nclass {s.name}:\n    a: int = {n[1]}\n    b: object = {s.reads[0]}\n{third}"
            f"    def total(self):\n        return (self.a, {n[2]})\n")  # fmt: skip


@kind("data base", "data base")
def data_base(s: Statement) -> str:
    """A dataclass that others inherit from, with what only dataclasses have in their bodies."""
    n = s.numbers
    options = ("", "(slots=False)", "(kw_only=True)", "(repr=False)")[n[0]]
    second = ("", f"    b: str = dataclasses.field(default={literal(n[2])}, repr=False)\n", f"    b: tuple = dataclasses.field(default=({n[2]},), compare=False)\n",
              f"    b: list = dataclasses.field(default_factory=lambda: [{n[2]}])\n")[n[1]]  # fmt: skip
    third = ("", f"    of_class: typing.ClassVar[int] = {n[4]}\n", f"    seed: dataclasses.InitVar[int] = {n[4]}\n    def __post_init__(self, seed):\n        self.seeded = (seed, {n[2]})\n",
             f"    def __post_init__(self):\n        self.after = {n[4]}\n")[n[3]]  # fmt: skip
    return f"@dataclasses.dataclass{options}\nclass {s.name}:\n    a: int = {n[2]}\n{second}{third}"


@kind("data child", "record", needs="data base")
def data_child(s: Statement) -> str:
    n = s.numbers
    options = ("", "(kw_only=True)", "(order=True)", "(match_args=False)")[n[0]]
    extra = ("    pass\n", f"    d: int = {n[2]}\n", f"    d: int = {n[2]}\n    e: object = {s.reads[0]}\n", f"    a: float = {n[2]}\n")[n[1]]
    method = f"    def total(self):\n        return (self.a, {n[3]})\n" if n[3] else ""
    return f"@dataclasses.dataclass{options}\nclass {s.name}({s.reads[1]}):\n{extra}{method}"


@kind("enum", "enum")
def enum(s: Statement) -> str:
    n = s.numbers
    third = f"    THREE = {n[2] + 10}\n" if n[3] > 1 else ""
    return f"class {s.name}(enum.Enum):\n    ONE = {n[1] + 1}\n    TWO = {n[0] + 20}\n{third}\n    def tell(self):\n        return {n[3]}\n"


@kind("int enum", "enum")
def int_enum(s: Statement) -> str:
    """Members that are numbers themselves: their values stay, new ones come."""
    n = s.numbers
    base = ("enum.IntEnum", "enum.IntFlag")[n[0] // 3]
    third = f"    THREE = {8 if n[0] // 3 else 3}\n" if n[3] > 1 else ""
    return f"class {s.name}({base}):\n    ONE = 1\n    TWO = 2\n{third}\n    def tell(self):\n        return ({n[2]}, {s.reads[0]})\n"


@kind("methodical enum", "enum")
def methodical_enum(s: Statement) -> str:
    n = s.numbers
    base, values = (("enum.Enum", ("'a'", "'b'")), ("enum.Flag", ("enum.auto()", "enum.auto()")),
                    ("enum.Enum", (f"({n[1]}, 'x')", f"({n[1] + 5}, 'y')")), ("str, enum.Enum", ("'a'", "'b'")))[n[0]]  # fmt: skip
    lines = [f"    A = {values[0]}\n    B = {values[1]}\n"]
    lines.append(("", "    ALSO = A\n", "    C = 64\n" if n[0] == 1 else "    C = 'c'\n", "")[n[2]] if n[0] != 3 else "")
    lines.append((f"    @property\n    def shown(self):\n        return ({n[4]}, self.name)\n",
                  f"    @classmethod\n    def first(cls):\n        return ({n[4]}, next(iter(cls)).name)\n",
                  f"    def __str__(self):\n        return '{n[4]}' + self.name\n",
                  f"    @classmethod\n    def _missing_(cls, value):\n        return cls.A if value == {n[4]} else None\n")[n[3]])  # fmt: skip
    return f"class {s.name}({base}):\n" + "\n".join(lines)


@kind("tuple", "tuple")
def tuple_class(s: Statement) -> str:
    n = s.numbers
    if n[0] > 1:
        return f"{s.name} = collections.namedtuple('{s.name}', 'a b{(' c' if n[1] > 1 else '')}', defaults=({n[2]}, {n[3]}))"
    third = f"    c: str = '{n[2]}'\n" if n[1] > 1 else ""
    return f"class {s.name}(typing.NamedTuple):\n    a: int = {n[3]}\n{third}\n    def both(self):\n        return (self.a, {n[4]})\n"


@kind("typed dict", "typed")
def typed_dict(s: Statement) -> str:
    n = s.numbers
    total = ("", ", total=False", "", ", total=True")[n[0]]
    extra = ("", "    b: str\n", "    b: typing.NotRequired[str]\n", "    b: 'int | None'\n")[n[1]]
    child = f"\n\nclass {s.name}Child({s.name}):\n    c: {('int', 'str', 'float', 'list')[n[3]]}\n" if n[2] > 1 else ""
    return f"class {s.name}(typing.TypedDict{total}):\n    a: {('int', 'str', 'float', 'list')[n[4]]}\n{extra}{child}"


@kind("type alias", "object")
def type_alias(s: Statement) -> str:
    n = s.numbers
    return (f"{s.name} = int | {('str', 'None', 'float', 'bytes')[n[1]]}", f"{s.name} = typing.Literal['a', {n[1]}]",
            f"{s.name} = dict[str, {('int', 'str', 'float', 'list')[n[1]]}]", f"{s.name} = typing.Annotated[int, {s.reads[0]}, {n[1]}]")[n[0]]  # fmt: skip

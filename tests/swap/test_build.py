"""The build of a module: its units, what is known of them, and that their functions are those of the whole module."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType

import pytest

from habanero_receiver.swap.building import __main__ as server_script
from habanero_receiver.swap.building import modulecode
from habanero_receiver.swap.building.compiler import build
from habanero_receiver.swap.building.modulecode import main_code
from habanero_receiver.swap.building.units import ANY, CALLS, DECORATORS_NAME, PURE, Build, Import, Unit, decode


def units_of(text: str, package: bool = False, name: str = "shop.cart") -> tuple[Unit, ...]:
    return build_of(text, package, name).units


def build_of(text: str, package: bool = False, name: str = "shop.cart") -> Build:
    source = textwrap.dedent(text).encode()
    return decode(build(source, name, "shop/cart.py", package).units, "/srv/shop/cart.py")


def unit(text: str) -> Unit:
    (found,) = units_of(text)
    return found


def codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def test_every_statement_is_a_unit_with_its_key() -> None:
    """A unit is recognised by what it is: definitions by name, repetitions by number, the rest by content."""
    found = units_of("""
        '''Docstring.'''
        from __future__ import annotations
        import os, sys as system
        from a import b as c
        X = 1
        Y: int = 2
        p, q = 1, 2
        def f(): ...
        async def f(): ...
        class C: ...
        print(X)
        pass
    """)
    assert [u.key for u in found[:-1]] == [
        "import annotations", "import os, system", "import c", "X =", "Y =", "p, q =", "def f", "def f#2", "class C",
    ]  # fmt: skip
    assert found[-1].key.startswith("Expr ")
    assert build_of("'''Docstring.'''\nX = 1\n").doc == "Docstring."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(a=1):\n    return 1\n", "def f(a=1):\n    '''Now told.'''\n    # why\n\n    return 2\n"),
        ("F = lambda x: x + 1\n", "F = (lambda x:\n    x + 2)\n"),
        ("X = 1\n", "\n\nX = 1  # a comment\n"),
        ("@a\ndef f():\n    return 1\n", "@a\ndef f():\n    yield 2\n"),
    ],
)
def test_bodies_comments_and_places_are_not_in_the_outline(one: str, other: str) -> None:
    """Units with one outline differ in what patching code objects can bring about, and nothing has to run."""
    assert unit(one).outline == unit(other).outline


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(a=1): ...\n", "def f(a=2): ...\n"),
        ("def f(a): ...\n", "def f(b): ...\n"),
        ("def f() -> int: ...\n", "def f() -> str: ...\n"),
        ("def f(): ...\n", "async def f(): ...\n"),
        ("@a\ndef f(): ...\n", "@b\ndef f(): ...\n"),
        ("F = lambda x: 1\n", "F = lambda x, y: 1\n"),
        ("X = 1\n", "X = 1.0\n"),
        ("X = 1\n", "X = True\n"),
        ("X = 'a'\n", "X = b'a'\n"),
        ("X = -0.0\n", "X = 0.0\n"),
        ("class C(A): ...\n", "class C(B): ...\n"),
        ("class C(k=1): ...\n", "class C(k=2): ...\n"),
        ("X = [1]\n", "X = (1,)\n"),
    ],
)
def test_all_else_is_in_the_outline(one: str, other: str) -> None:
    """What running the statement would make different, the outline tells."""
    assert unit(one).outline != unit(other).outline


def test_a_class_tells_header_and_members_apart() -> None:
    """The outline of a class is of its header; its members are units of their own."""
    one = unit("@d\nclass C(A, k=1):\n    '''Doc.'''\n    x = 1\n    def m(self): ...\n    class In:\n        y = 2\n")
    other = unit("@d\nclass C(A, k=1):\n    x = 2\n")
    assert one.outline == other.outline
    assert (one.doc, other.doc) == ("Doc.", None)
    assert [m.key for m in one.members] == ["x =", "def m", "class In"]
    assert [m.key for m in one.members[2].members] == ["y ="]
    parts = [
        unit(t).outline.split(":") for t in ("class C(A): ...\n", "class C(A, k=1): ...\n", "@d\nclass C(A): ...\n")
    ]
    assert [a != b for a, b in zip(parts[0], parts[1], strict=True)] == [False, False, False, True]
    assert [a != b for a, b in zip(parts[0], parts[2], strict=True)] == [False, False, True, False]


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("X = A * 2 + B[0]\n", PURE),
        ("X = (1, [2], {3: f'{A}'})\n", PURE),
        ("X = lambda: launch()\n", PURE),
        ("def f(a=A): launch()\n", PURE),
        ("X = make(1)\n", CALLS),
        ("X = a.b.make(1)\n", CALLS),
        ("X = make()(1)\n", ANY),
        ("X = [y for y in Z]\n", CALLS),
        ("X = ', '.join(Z)\n", CALLS),
        ("a.b = 1\n", ANY),
        ("a['b'] = 1\n", ANY),
        ("X = (y := 1)\n", ANY),
        ("@d\ndef f(): ...\n", ANY),
        ("if A: X = 1\n", ANY),
        ("print(1)\n", ANY),
        ("class C: ...\n", ANY),
    ],
)
def test_what_running_a_unit_can_do_is_known(text: str, effect: int) -> None:
    """Only what merely reads names is pure; a bare call as a statement, a store into an object and a loop are not."""
    assert unit(text).effect == effect


def test_names_that_are_bound_read_and_called() -> None:
    """What runs counts, and function bodies do not; comprehensions keep their variables to themselves."""
    found = unit("X = make(A, key=B.c) + sum(y for y in Z)\n")
    assert found.names == ("X",)
    assert {"A", "B", "Z", "make"} <= set(found.reads)
    assert set(found.calls) == {"make", "sum"}
    assert unit("def f(a=A) -> B: return C\n").reads == ("A", "B")
    assert set(unit("for i in range(3):\n    K = i\n").names) == {"i", "K"}
    assert set(unit("with open('x') as fh:\n    pass\n").names) == {"fh"}


def test_imports_are_absolute() -> None:
    """Relative imports are named by the module that they mean; those in blocks count."""
    assert unit("from . import a\n").imports == (Import("shop", "a", "a"),)
    assert unit("from .b import c as d\n").imports == (Import("shop.b", "c", "d"),)
    (inside,) = units_of("from .b import c\n", package=True, name="shop.cart")
    assert inside.imports == (Import("shop.cart.b", "c", "c"),)
    assert unit("import x.y\n").imports == (Import("x.y", "", "x"),)
    assert unit("from x import *\n").imports == (Import("x", "*", "*"),)
    tried = unit("try:\n    from x import y\nexcept ImportError:\n    y = None\n")
    assert tried.imports == (Import("x", "y", "y"),)
    assert unit("def f():\n    import x\n").imports == ()


def test_units_run_alone() -> None:
    """Running the units one after another gives what running the module gives."""
    text = """
        import math
        A = 2
        def f(x): return x * A
        class C:
            y = 3
            def m(self): return self.__class__, __class__, self.__private()
            def __private(self): return "own"
        D, *E = f(3), 4, 5
    """
    names: dict[str, object] = {"__name__": "shop.cart"}
    for found in units_of(text):
        exec(found.code, names)
    whole: dict[str, object] = {"__name__": "shop.cart"}
    exec(main_code(build(textwrap.dedent(text).encode(), "shop.cart", "x.py", False).code, "/srv/x.py"), whole)
    assert names.keys() == whole.keys()
    assert (names["D"], names["E"]) == (6, [4, 5])
    cls = names["C"]
    assert isinstance(cls, type)
    assert cls().m() == (cls, cls, "own")


def test_members_run_alone_in_a_class_of_the_same_name() -> None:
    """A member's code mangles private names, names its functions by their full path and closes over `__class__`."""
    (outer,) = units_of("class Out:\n    class In:\n        def __m(self):\n            return super().__init__()\n")
    (member,) = outer.members[0].members
    names: dict[str, object] = {}
    exec(member.code, {"__name__": "shop"}, names)
    function = names["_In__m"]
    assert function.__qualname__ == "Out.In.__m"  # type: ignore[attr-defined]
    assert function.__code__.co_freevars == ("__class__",)  # type: ignore[attr-defined]


def test_decorators_and_bases_are_kept_apart() -> None:
    """A decorated unit can be run bare, and its decorators evaluated alone; so can a class's bases and keywords."""
    found = unit("@first\n@second(1)\ndef f(): ...\n")
    assert found.bare is not None
    assert found.decorate is not None
    names = {"first": 1, "second": lambda n: n + 10}
    exec(found.decorate, names)
    assert names[DECORATORS_NAME] == (1, 11)
    bare: dict[str, object] = {}
    exec(found.bare, bare)
    assert "f" in bare
    cls = unit("class C(A, B, key=2, **more): ...\n")
    assert cls.bases is not None
    names = {"A": 1, "B": 2, "more": {"x": 3}}
    exec(cls.bases, names)
    assert names[DECORATORS_NAME] == ((1, 2), {"key": 2, "x": 3})
    assert found.line == 1


def test_future_statements_hold_for_every_unit() -> None:
    """With postponed annotations, a unit that runs alone does not evaluate them either."""
    found = units_of("from __future__ import annotations\ndef f(x: Nowhere) -> Never: ...\n")
    names: dict[str, object] = {}
    exec(found[1].code, names)
    assert names["f"].__annotations__ == {"x": "Nowhere", "return": "Never"}  # type: ignore[attr-defined]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is of Python 3.12")
def test_type_parameters_are_part_of_what_a_class_is() -> None:
    """Generic functions, classes and type aliases build, and another parameter is another outline."""
    found = units_of(
        "type Pair[T] = tuple[T, T]\ndef first[T](x: list[T]) -> T: return x[0]\nclass Box[T]:\n    v: T\n"
    )
    names: dict[str, object] = {"__name__": "shop"}
    for each in found:
        exec(each.code, names)
    assert names["first"]([7]) == 7  # type: ignore[operator]
    assert unit("class Box[T]: ...\n").outline.split(":")[0] != unit("class Box[T, U]: ...\n").outline.split(":")[0]


@pytest.mark.parametrize(
    "source",
    [
        "# -*- coding: latin-1 -*-\nX = '\xe9'\n".encode("latin-1"),
        b"\xef\xbb\xbfX = '\xc3\xa9'\n",
        b"X = '\xc3\xa9'\r\n",
    ],
)
def test_encodings_are_those_of_the_source(source: bytes) -> None:
    """A declared encoding, a byte order mark and foreign line ends are read as Python reads them."""
    names: dict[str, object] = {}
    exec(decode(build(source, "m", "m.py", False).units, "/m.py").units[0].code, names)
    assert names["X"] == "\xe9"


@pytest.mark.parametrize("source", [b"def f(:\n", b"X = '\xff'\n", b"X = 1\0\n", b"(" * 400, b"# coding: nonsense\n"])
def test_what_does_not_compile_is_a_syntax_error(source: bytes) -> None:
    """Whatever the compiler says of it: bad encodings, null bytes and nesting too."""
    with pytest.raises(SyntaxError):
        build(source, "m", "m.py", False)


def test_the_file_name_is_that_of_the_place_where_it_runs() -> None:
    """A build carries a relative path; loaded, every code object names the file on this machine."""
    built = build(b"def f():\n    return lambda: 1\nclass C:\n    def m(self): ...\n", "m", "pkg/m.py", False)
    assert {c.co_filename for c in codes(main_code(built.code, "/srv/pkg/m.py"))} == {"/srv/pkg/m.py"}
    for found in decode(built.units, "/srv/pkg/m.py").units:
        assert {c.co_filename for c in codes(found.code)} == {"/srv/pkg/m.py"}
        for member in found.members:
            assert {c.co_filename for c in codes(member.code)} == {"/srv/pkg/m.py"}


@pytest.mark.parametrize("cut", [b"", b"HABUNIT3", b"HABCODE3", b"nonsense" * 4, b"HABUNIT2\0\0\0\0abc"])
def test_bytes_that_are_no_build_are_a_value_error(cut: bytes) -> None:
    """Bytes without a build's head are told from one before anything is unmarshalled."""
    for read in (main_code, decode):
        with pytest.raises((ValueError, EOFError)):
            read(cut, "/m.py")


def test_a_modules_code_and_its_units_are_not_mistaken_for_each_other() -> None:
    """Each blob says what it is: one in the other's place is refused before anything is unmarshalled."""
    built = build(b"X = 1\n", "m", "m.py", False)
    with pytest.raises(ValueError, match="not a build of this format"):
        main_code(built.units, "/m.py")
    with pytest.raises(ValueError, match="not a build of this format"):
        decode(built.code, "/m.py")


@pytest.mark.parametrize(("part", "read"), [("code", main_code), ("units", decode)])
def test_a_build_that_was_cut_short_is_an_error(part: str, read: Callable[[bytes, str], object]) -> None:
    """A build without its end raises, and never gives half of the units."""
    blob: bytes = getattr(build(b"X = 1\ndef f():\n    return 1\n", "m", "m.py", False), part)
    for size in range(0, len(blob) - 1, 7):
        with pytest.raises((ValueError, EOFError, TypeError)):
            read(blob[:size], "/m.py")


def test_a_constant_is_no_module() -> None:
    """What unmarshals to something else than a module's code object is refused."""
    import marshal

    with pytest.raises(ValueError, match="not the code object of a module"):
        main_code(modulecode.MAGIC + marshal.dumps("text"), "/m.py")


@pytest.mark.parametrize("optimize", [0, 1, 2])
def test_the_optimize_level_holds_for_units_too(optimize: int) -> None:
    """With assertions and docstrings stripped from the module they are stripped from its units."""
    source = b"def f():\n    '''Doc.'''\n    assert False\n    return 1\n"
    found = decode(build(source, "m", "m.py", False, optimize).units, "/m.py").units[0]
    names: dict[str, object] = {}
    exec(found.code, names)
    function = names["f"]
    assert callable(function)
    assert function.__doc__ == (None if optimize == 2 else "Doc.")
    if optimize:
        assert function() == 1


BIG = [
    "argparse",
    "dataclasses",
    "enum",
    "typing",
    "inspect",
    "asyncio/base_events",
    "email/message",
    "decimal",
    "subprocess",
]


@pytest.mark.parametrize("path", ["_pydecimal" if p == "decimal" else p for p in BIG])
def test_functions_of_units_are_those_of_the_module(path: str) -> None:
    """A function runs the same bytecode whether its module was imported or its unit swapped in."""
    file = Path(json.__file__).parent.parent / f"{path}.py"
    built = build(file.read_bytes(), path.replace("/", "."), f"{path}.py", False)
    whole = main_code(built.code, str(file))
    mine = [c for u in decode(built.units, str(file)).units for c in u.code.co_consts if isinstance(c, CodeType)]
    theirs = [c for c in whole.co_consts if isinstance(c, CodeType)]
    assert [(c.co_qualname, c.co_linetable) for c in mine] == [(c.co_qualname, c.co_linetable) for c in theirs]
    assert mine == theirs


def test_the_script_builds_what_the_module_builds() -> None:
    """Asked over its pipes, a process of its own gives builds that mean the same, and tells errors where they are."""
    good, bad = b"def f():\n    return 1\n", b"def f(:\n"
    request = {
        "optimize": 0,
        "modules": [
            {"name": "a", "path": "a.py", "package": False, "size": len(good)},
            {"name": "b", "path": "b.py", "package": False, "size": len(bad)},
        ],
    }
    command = [sys.executable, "-I", "-S", server_script.__file__]
    sent = json.dumps(request).encode() + b"\n" + good + bad
    out = subprocess.run(command, input=sent + sent, capture_output=True, check=True, timeout=30).stdout
    hello, _, rest = out.partition(b"\n")
    assert json.loads(hello)["cache_tag"] == sys.implementation.cache_tag
    for _ in range(2):
        head, _, rest = rest.partition(b"\n")
        first, second = json.loads(head)["modules"]
        rest = rest[first["code"] :]
        blob, rest = rest[: first["units"]], rest[first["units"] :]
        assert decode(blob, "/a.py").units[0].outline == unit("def f():\n    return 1\n").outline
        assert second["error"]["line"] == 1
    assert rest == b""

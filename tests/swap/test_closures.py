"""Functions made inside others: what they are born with follows, and what cannot is named."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]


def making(signature: str, result: str = "n", head: str = "", maker: str = "n, k=None") -> str:
    return f"{head}\ndef make({maker}):\n    def inner({signature}):\n        return {result}\n    return inner\n"


@pytest.mark.parametrize(
    ("before", "after", "given", "annotations"),
    [
        ("x=0", "x=1", (1,), {}),
        ("x=0, *, y='a'", "x=0, *, y='b', z=()", (0, "b", ()), {}),
        ("", "x=2", (2,), {}),
        ("x: int = 0", "x: 'str | None' = None", (None,), {"x": "str | None"}),
        ("a, b=1", "b=2, a=1", (2, 1), {}),
        ("x=LIMIT", "x=LIMIT, y=NEW", (5, 7), {}),
        ("x=[]", "x=[], y=1", ([], 1), {}),
    ],
)
def test_constants_of_a_closure_follow(
    start: Start, before: str, after: str, given: tuple[object, ...], annotations: dict[str, object]
) -> None:
    """Defaults, keyword defaults and annotations are as written now, where they are constants or module names."""
    names = [part.split(":")[0].split("=")[0].strip() for part in after.split(",") if part.strip() != "*"]
    app = start({"shop": making(before, head="LIMIT = 5")})
    shop = app.load("shop")
    inner = shop.make(1)
    picture = app.picture(inner)
    committed = app.push({"shop": making(after, f"({', '.join(names)},)", head="LIMIT = 5\nNEW = 7")})
    assert inner() == given
    assert inner.__annotations__ == annotations
    assert committed.report.of("shop").stale == []
    committed.undo()
    assert app.picture(inner) == picture


def test_a_default_that_is_state_or_was_set_stays(start: Start) -> None:
    """A list that was appended to is kept while another default changes; one set at run time is not overwritten."""
    app = start({"shop": making("x=[], y=1, z=1")})
    inner = app.load("shop").make(1)
    inner.__defaults__[0].append("used")
    inner.__defaults__ = (inner.__defaults__[0], 1, "mine")
    app.push({"shop": making("x=[], y=2, z=2", "(x, y, z)")})
    assert inner() == (["used"], 2, "mine")


def test_what_is_computed_where_a_closure_is_made_is_kept_and_named(start: Start) -> None:
    """A default built on the maker's variables cannot be known again: the old one stays, and the report says which."""
    app = start({"shop": making("x=n", "x")})
    inner = app.load("shop").make(1)
    report = app.push({"shop": making("x=n + 1", "(x, 'new')")}).report.of("shop")
    assert inner() == (1, "new")
    assert report.stale == ["make.<locals>.inner (the default of x is computed where it is made)"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (making("", "n"), making("", "(n, k)")),
        (making("", "n"), making("", "(n, k)", maker="n, k=1")),  # its maker is run again: it has another signature
        (making("", "n"), making("x=k", "(n, x)")),  # a new default that cannot be told
    ],
)
def test_a_closure_that_keeps_its_code_is_always_named(start: Start, before: str, after: str) -> None:
    """Whether it was made before the plan or after it: it runs on as it was, and the report says so."""
    app = start({"shop": before})
    shop = app.load("shop")
    early = shop.make(1)
    staged = app.stage({"shop": after})
    assert [line.partition(" (")[0] for line in staged.report.of("shop").stale] == ["make.<locals>.inner"]
    del early, staged
    gc.collect()
    staged = app.stage({"shop": after})
    assert staged.report.of("shop").stale == []
    late = shop.make(2)
    report = staged.commit().report.of("shop")
    assert late() == 2
    assert "it keeps its old code" in report.stale[0]
    assert "k" in report.stale[0] or "x" in report.stale[0]


def test_a_wrapper_is_named_by_what_it_wraps_too(start: Start) -> None:
    """A reader who knows the decorated function's name finds it in the report."""
    text = (
        "import functools\ndef deco(level):\n    def add(f):\n        @functools.wraps(f)\n        def wrapper(*a):\n"
        "            return f(*a){}\n        return wrapper\n    return add\n@deco(3)\ndef view():\n    return 1\n"
    )
    app = start({"shop": text.format("")})
    shop = app.load("shop")
    report = app.push({"shop": text.format(", level")}).report.of("shop")
    assert shop.view() == 1
    assert any("wrapper of view (" in line and "level" in line for line in report.stale)


def test_a_maker_that_gives_no_such_closure_again_leaves_it_named(start: Start) -> None:
    """Called again with what the closure holds, the maker gave something else: the closure goes on, and is named."""
    text = "MAKE = [1]\ndef make(n):\n    {}\n    def inner():\n        return {}\n    return inner if MAKE else None\n"
    app = start({"shop": text.format("m = 1", "n")})
    shop = app.load("shop")
    inner = shop.make(1)
    shop.MAKE.clear()
    report = app.push({"shop": text.format("m = 2", "(n, m)")}).report.of("shop")
    assert inner() == 1
    assert any("did not give it" in line for line in report.stale)


def test_lambdas_on_one_line_are_told_apart(start: Start) -> None:
    """Each takes over the default of the one that stands where it stood."""
    text = "def make():\n    return (lambda x={}: x), (lambda x={}: x)\n"
    app = start({"shop": text.format(1, 2)})
    one, two = app.load("shop").make()
    app.push({"shop": text.format(3, 4)})
    assert (one(), two()) == (3, 4)


def test_functions_with_type_parameters_keep_their_identity(start: Start) -> None:
    """`def f[T]` is patched like any other, by a change of its body and of its signature."""
    text = "def f[T](x: T) -> T:\n    return x\nHELD = [f]\n"
    try:
        app = start({"shop": text})
    except SyntaxError:
        pytest.skip("type parameters came with Python 3.12")
    shop = app.load("shop")
    f = shop.f
    app.push({"shop": text.replace("return x", "return (x, T.__name__)")})
    assert (shop.f is f, f(1)) == (True, (1, "T"))
    app.push({"shop": text.replace("(x: T)", "(x: T, y: T = 2)").replace("return x", "return (x, y)")})
    assert (shop.f is f, f(1), list(f.__annotations__)) == (True, (1, 2), ["x", "y", "return"])


@pytest.mark.parametrize(
    ("default", "expected"), [("SIZE", 2), ("(SIZE, 1)", (2, 1)), ("SIZE * 3", 6), ("n, *, y=SIZE", 7)]
)
def test_a_default_follows_the_constant_that_it_reads(start: Start, default: str, expected: object) -> None:
    """Of closures too, which were made long ago; one that the process set otherwise stays."""
    text = (
        f"SIZE = 1\ndef make(n=7):\n    def inner(x={default}):\n        return x\n    return inner\n"
        "made, other = make(), make()\n"
    )
    app = start({"shop": text})
    shop = app.load("shop")
    shop.other.__defaults__ = ("mine",)
    picture = app.picture()
    new: dict[str, str | None] = {"shop": text.replace("SIZE = 1", "SIZE = 2")}
    app.push(new).undo()
    assert app.picture() == picture
    app.push(new)
    assert (shop.made(), shop.other()) == (expected, "mine")
    assert (shop.made.__kwdefaults__ or {}).get("y", 2) == 2


def test_a_default_that_waits_for_the_commit_is_named(start: Start) -> None:
    """Where the constant is known only in the commit, the closure keeps what it has, and the report says so."""
    text = (
        "RAN = []\ndef size():\n    RAN.append(1)\n    return 1\nSIZE = size()\n"
        "def make():\n    def inner(x=SIZE):\n        return x\n    return inner\nmade = make()\n"
    )
    app = start({"shop": text})
    shop = app.load("shop")
    report = app.push({"shop": text.replace("SIZE = size()", "SIZE = size() + 1")}).report
    assert shop.made() == 1
    assert "make.<locals>.inner (the default of x is computed where it is made)" in report.modules["shop"].stale

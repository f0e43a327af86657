"""Statements of a module or class body, after a swap: what they bound, filled or raised, as a fresh import would."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from living import LiveApp

from habanero_receiver.swap import SwapFailedError, SwapRefusedError

Start = Callable[[dict[str, str]], LiveApp]


@pytest.mark.parametrize(("source", "line", "unit"), [
    ("A = 1\n\nB = (\n    2,\n    A / 0,\n)\nC = B\n", 5, "B ="),
    ("A = 1\nimport math, nowhere_at_all\n", 2, "import math, nowhere_at_all"),
])  # fmt: skip
def test_a_statement_that_raises_while_staging_is_named(start: Start, source: str, line: int, unit: str) -> None:
    """The refusal names the statement and the line that raised, once, and nothing that would follow from it."""
    app = start({"shop": "A = 1\n"})
    app.load("shop")
    with pytest.raises(SwapRefusedError) as caught:
        app.push({"shop": source})
    assert [(r.line, r.unit) for _, r in caught.value.refusals] == [(line, unit)]


def test_a_changed_block_sees_what_a_fresh_process_would(start: Start) -> None:
    """What only the old version bound is not there for it, so it takes the branch that it takes after an import."""
    app = start({"shop": "try:\n    Group = nothing\nexcept NameError:\n    class Group(Exception):\n        pass\n"})
    shop = app.load("shop")
    app.push({"shop": (
        "try:\n    Group\nexcept NameError:\n    SEEN = False\n    class Group(ValueError):\n        pass\n"
        "else:\n    SEEN = True\n"
    )})  # fmt: skip
    assert shop.SEEN is False
    assert issubclass(shop.Group, ValueError)


@pytest.mark.parametrize("indent", ["", "    "])
def test_what_only_the_old_branch_bound_goes(start: Start, indent: str) -> None:
    """A block need not bind all that it names: in a module and in a class, what it did not bind this time is gone."""
    head = "class C:\n" if indent else ""
    block = "if {}:\n    def one(*_): return {}\n    left = 1\nelse:\n    def one(*_): return 0\n    right = 1\n"
    before, after = (
        head + "".join(f"{indent}{line}\n" for line in block.format(*given).splitlines())
        for given in (("1 > 0", 1), ("0 > 1", 2))
    )
    app = start({"shop": before})
    shop = app.load("shop")
    owner = shop.C if indent else shop
    held = owner.one
    committed = app.push({"shop": after})
    assert (hasattr(owner, "left"), hasattr(owner, "right"), owner.one()) == (False, True, 0)
    assert owner.one is held
    committed.undo()
    assert (hasattr(owner, "left"), hasattr(owner, "right"), owner.one()) == (True, False, 1)


def test_what_a_block_names_but_another_statement_binds_stays(start: Start) -> None:
    """Only leftovers go: a kept statement's binding is its own, whatever a changed block does not bind."""
    app = start({"shop": "import json\nLIVE = []\nif True:\n    LIVE2 = 1\n"})
    shop = app.load("shop")
    live = shop.LIVE
    app.push({"shop": "import json\nLIVE = []\nif not json:\n    LIVE2 = 1\n    import json\n    LIVE = 2\n"})
    assert (shop.LIVE is live, hasattr(shop, "LIVE2"), hasattr(shop, "json")) == (True, False, True)


def test_a_statement_that_would_fail_at_the_next_start_fails_now(start: Start) -> None:
    """A name that the new version binds no more is not there for its statements, though it is still bound."""
    app = start({"shop": "A = 1\nB = 1\n"})
    shop = app.load("shop")
    with pytest.raises(SwapFailedError, match="name 'A' is not defined"):
        app.push({"shop": "B = A\n"})
    assert (shop.A, shop.B) == (1, 1)


def test_names_can_be_listed_by_a_statement(start: Start) -> None:
    """`dir`, `locals` and `vars` in a statement give the module's names, without those that are going."""
    app = start({"shop": "A = B = 1\nNAMES = []\n"})
    shop = app.load("shop")
    listed = "[n for n in sorted(dir()) if n in 'AB'] + [len(vars()) > 1, locals().get('B')]"
    app.push({"shop": f"A = 1\nNAMES = {listed}\n"})
    assert shop.NAMES == ["A", True, None]


def test_a_star_that_goes_takes_its_names_along(start: Start) -> None:
    """What only `from x import *` had bound is gone; what is imported by name, or bound here, stays."""
    core = "def a(): ...\ndef b(): ...\nc = 1\n"
    app = start({"shop/": "", "shop.core": core, "shop.compat": "from .core import *\n"})
    compat = app.load("shop.compat")
    held = compat.a
    committed = app.push({"shop.compat": "from .core import a\nc = 1\n"})
    assert (compat.a is held, hasattr(compat, "b"), compat.c) == (True, False, 1)
    committed.undo()
    assert hasattr(compat, "b")


ANNOTATED = """
    class P:
        size: int = 1
        def get(self) -> int: ...
    STATE: dict = {}
    def f(a: int) -> str: ...
"""


def test_annotations_become_text_and_state_stays(start: Start) -> None:
    """`from __future__ import annotations`, added or removed, renews every annotation, and no variable's value."""
    app = start({"shop": ANNOTATED})
    shop = app.load("shop")
    shop.STATE["live"] = 1
    shop.P.size = 7
    held = (shop.f, shop.STATE, shop.P.get, shop.__annotations__)
    for future in (True, False):
        app.push({"shop": "    from __future__ import annotations\n" * future + ANNOTATED})
        kind = str if future else type
        found = [*shop.__annotations__.values(), *shop.P.__annotations__.values(), *shop.f.__annotations__.values(),
                 *shop.P.get.__annotations__.values()]  # fmt: skip
        assert [type(annotation) for annotation in found] == [kind] * 5
        assert held == (shop.f, shop.STATE, shop.P.get, shop.__annotations__)
        assert (shop.STATE, shop.P.size, hasattr(shop, "annotations")) == ({"live": 1}, 7, future)


def test_the_fields_of_a_dataclass_follow_the_kind_of_annotations(start: Start) -> None:
    """What a class derives from annotations is derived again; defaults and instances stay."""
    text = "from dataclasses import dataclass, fields\n@dataclass\nclass D:\n    a: int = 1\n    b: list = None\n"
    app = start({"shop": text})
    shop = app.load("shop")
    one, cls = shop.D(2), shop.D
    app.push({"shop": "from __future__ import annotations\n" + text})
    assert [f.type for f in shop.fields(cls)] == ["int", "list"]
    assert (shop.D is cls, one == cls(2), cls().a) == (True, True, 1)


@pytest.mark.parametrize(("before", "after", "left"), [
    ("x: int = 1\ny: int = 2\n", "x2: int = 1\ny = 2\n", ["x2"]),
    ("x: int = 1\n", "x = 1\n", None),
    ("x: int\ny: int\n", "y: int\nz: int\nx: int\n", ["y", "z", "x"]),
    ("if True:\n    x: int = 1\n    y: int\n", "if True:\n    y: int\n", ["y"]),
    ("if True:\n    x: int = 1\nx: int\n", "x: int\n", ["x"]),
])  # fmt: skip
@pytest.mark.parametrize("indent", ["", "    "])
def test_annotations_go_with_their_variables(
    start: Start, before: str, after: str, left: list[str] | None, indent: str
) -> None:
    """Removed, renamed, or without its annotation: `__annotations__` says what a fresh process says, in its order."""
    head = "class C:\n" if indent else ""
    bodies = [head + "".join(f"{indent}{line}\n" for line in text.splitlines()) for text in (before, after)]
    app = start({"shop": bodies[0]})
    shop = app.load("shop")
    owner = shop.C if indent else shop
    was = dict(vars(owner)["__annotations__"])
    committed = app.push({"shop": bodies[1]})
    found = vars(owner).get("__annotations__")
    assert (found if found is None else list(found)) == left
    committed.undo()
    assert list(vars(owner)["__annotations__"].items()) == list(was.items())


WRAPPED = """
    import contextlib, functools
    def logged(times):
        def around(function):
            @functools.wraps(function)
            def wrapper(*args):
                return (times, function(*args), wrapper.__name__)
            return wrapper
        return around
    if True:
        @contextlib.contextmanager
        def opened():
            yield {value}
        @logged({value})
        def counted():
            return {value}
    {more}
"""


def test_decorated_functions_of_a_block_run_what_it_makes_now(start: Start) -> None:
    """A wrapper stays the same object, and what it wraps is new, with what its decorator was given; undone, old."""
    app = start({"shop": WRAPPED.format(value=1, more="")})
    shop = app.load("shop")
    held, counted = shop.opened, shop.counted
    committed = app.push({"shop": WRAPPED.format(value=2, more="    X = 1")})
    with held() as value:
        assert value == 2
    assert (shop.opened is held, shop.counted is counted, counted()) == (True, True, (2, 2, "counted"))
    committed.undo()
    with held() as value:
        assert value == 1
    assert counted() == (1, 1, "counted")

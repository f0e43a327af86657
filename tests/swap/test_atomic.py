"""A swap is done whole or not at all: whatever fails, and wherever, everything is as it was."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from faulty_log import faults
from living import LiveApp

from habanero_receiver.swap import SwapFailedError, SwapUndoError, staged
from habanero_receiver.swap.undo import Step, UndoLog

BEFORE = {
    "shop/": "",
    "shop.config": """
        '''Settings.'''
        TIMEOUT = 5
        NAMES = ["a"]
        LIMIT = TIMEOUT * 2
        rate: int = 1
        if TIMEOUT:
            left: str = "only here"
            def chosen():
                return "v1"
        ORDER = ["a"]
        ORDER += ["b"]
        TABLE = {"a": {}}
        TABLE["a"]["old"] = 1
        KINDS = {1}
        KINDS.add(2)
    """,
    "shop.routes": """
        ROUTES = []
        BY_NAME = {}

        def route(path):
            def add(function):
                ROUTES.append((path, function))
                BY_NAME[path] = function
                return function
            return add

        def logged(function):
            def wrapper(*args):
                return ("v1", function(*args))
            return wrapper
    """,
    "shop.cart": """
        import enum
        from dataclasses import dataclass
        from collections import namedtuple
        from shop.config import TIMEOUT
        from shop.routes import logged, route

        STATE = {"calls": 0}
        Pair = namedtuple("Pair", "x y")

        class Base:
            kinds = {}
            def __init_subclass__(cls, **given):
                Base.kinds[cls.__name__] = cls

        class Cart(Base):
            size = TIMEOUT * 3
            def total(self):
                return 1
            def gone(self):
                return 2

        class Second(Base):
            size = 1
            double = size * 2
            late = 1

        Second.extra = 1
        del Second.late

        @dataclass
        class Item:
            name: str
            price: int = 1

        class Color(enum.Enum):
            RED = 1
            BLUE = 2

        @route("/old")
        def index():
            return "v1"

        @logged
        def counted(n=TIMEOUT):
            STATE["calls"] += 1
            return n

        def removed():
            return None

        CART, ITEM = Cart(), Item("one")
    """,
    "shop.old": "VALUE = 1\n",
}
AFTER: dict[str, str | None] = {
    "shop.config": """
        '''Settings, better.'''
        from __future__ import annotations
        TIMEOUT = 7
        NAMES = ["a"]
        LIMIT = TIMEOUT * 2
        NEW = 1
        rate: int = 1
        if not TIMEOUT:
            left: str = "only there"
        else:
            def chosen():
                return "v2"
        ORDER = ["a"]
        ORDER += ["c"]
        TABLE = {"a": {}}
        TABLE["a"]["new"] = 2
        KINDS = {1}
        KINDS.add(3)
    """,
    "shop.routes": """
        ROUTES = []
        BY_NAME = {}

        def route(path):
            def add(function):
                ROUTES.append((path, function))
                BY_NAME[path] = function
                return function
            return add

        def logged(function):
            banner = "v2"
            def wrapper(*args):
                return (banner, function(*args))
            return wrapper
    """,
    "shop.cart": """
        import enum
        import json
        from dataclasses import dataclass
        from collections import namedtuple
        from shop.config import TIMEOUT
        from shop.routes import logged, route
        import shop.extra

        STATE = {"calls": 0}
        Pair = namedtuple("Pair", "x y z", defaults=[0])

        class Base:
            kinds = {}
            def __init_subclass__(cls, **given):
                Base.kinds[cls.__name__] = cls

        class Cart(Base):
            size = TIMEOUT * 3
            rate = 2
            def total(self):
                return 10
            def fresh(self, n=1):
                return n
            def __code_change__(self, old=None):
                self.moved = True

        class Second(Base):
            size = 2
            double = size * 2
            late = 1

        @dataclass(order=True)
        class Item:
            name: str
            price: int = 2
            tax: int = 3

        class Color(enum.Enum):
            RED = 10
            GREEN = 3

        @route("/new")
        @route("/second")
        def index():
            return "v2"

        @logged
        def counted(n=TIMEOUT):
            STATE["calls"] += 1
            return n + 1

        @route("/third")
        def third():
            return 3

        CART, ITEM = Cart(), Item("one")

        def __code_change__(old):
            STATE["migrated"] = True
    """,
    "shop.extra": "EXTRA = 1\n",
    "shop.old": None,
}


def begin(start: Callable[[dict[str, str]], LiveApp]) -> tuple[LiveApp, Any]:
    app = start(BEFORE)
    cart = app.load("shop.cart")
    app.load("shop.old")
    return app, cart


def check_new(app: LiveApp, cart: Any) -> None:
    assert cart.index() == "v2"
    assert cart.counted() == ("v2", 8)
    assert cart.CART.total() == 10
    assert cart.CART.moved
    assert cart.CART.size == 21
    assert cart.ITEM.tax == 3
    assert cart.Color.RED.value == 10
    assert cart.Pair(1, 2).z == 0
    assert cart.STATE["migrated"]
    assert [path for path, _ in app.load("shop.routes").ROUTES] == ["/second", "/new", "/third"]
    assert "shop.old" not in sys.modules
    config = app.load("shop.config")
    assert (cart.Second.double, hasattr(cart.Second, "extra"), cart.Second.late) == (4, False, 1)
    assert config.ORDER == ["a", "c"]
    assert config.TABLE == {"a": {"new": 2}}
    assert {1, 3} == config.KINDS
    assert (config.chosen(), hasattr(config, "left"), config.__annotations__) == ("v2", False, {"rate": "int"})


def test_the_release_that_touches_everything_goes_in_and_out(start: Any) -> None:
    """Undone, a commit leaves every name, attribute, registry, import and class as it was; redone, it holds."""
    app, cart = begin(start)
    before = app.picture()
    committed = app.push(AFTER)
    check_new(app, cart)
    committed.undo()
    assert app.picture() == before
    app.push(AFTER).seal()
    check_new(app, cart)


@pytest.mark.heavy
def test_a_fault_at_any_step_of_a_commit_restores_everything(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each k, a fault at step k of the commit ends in an error and in the very process that was there before."""
    app, cart = begin(start)
    app.push(AFTER).undo()  # what is made once, like an adapter's import, is made
    before = app.picture()
    failed = 0
    release = {name: None if text is None else app.image(name, text) for name, text in AFTER.items()}
    for failed in faults(monkeypatch, lambda: app.swapper.stage(release).commit()):
        assert app.picture() == before, f"fault at step {failed}"
    assert failed > 50
    check_new(app, cart)


@pytest.mark.parametrize("error", ["SystemExit(3)", "KeyboardInterrupt()", "ValueError('no')", "GeneratorExit()"])
@pytest.mark.parametrize(
    "place",
    [
        "raise {error}",
        "@route('/x')\ndef bad():\n    pass\nraise {error}",
        (
            "class Bad:\n    class Part:\n        def __set_name__(self, owner, name):\n"
            "            raise {error}\n    part = Part()"
        ),
        "class Sub(Base, name='x'):\n    pass",
        "def spoil(f):\n    ROUTES.append(f)\n    raise {error}\n@spoil\ndef bad():\n    pass",
        "def __code_change__(old):\n    ROUTES.clear()\n    raise {error}",
    ],
)
def test_whatever_new_code_raises_leaves_no_trace(start: Any, error: str, place: str) -> None:
    """SystemExit and KeyboardInterrupt too, from a statement, decorator, `__set_name__`, `__init_subclass__`, hook."""
    text = f"""
        ROUTES = []
        def route(path):
            def add(function):
                ROUTES.append((path, function))
                return function
            return add
        class Base:
            def __init_subclass__(cls, **given):
                if given:
                    raise {error}
        @route("/a")
        def a():
            return 1
    """
    app = start({"shop": text})
    shop = app.load("shop")
    before = app.picture()
    import textwrap

    new = textwrap.dedent(text).replace("return 1", "return 2") + place.format(error=error) + "\n"
    with pytest.raises((SwapFailedError, KeyboardInterrupt, GeneratorExit)):
        app.push({"shop": new})
    assert app.picture() == before
    assert shop.a() == 1


def test_a_module_that_fails_takes_the_others_with_it(start: Any) -> None:
    """When the second module of a release raises, the first is as before; modules it imported are gone again."""
    app = start({"shop/": "", "shop.a": "def f():\n    return 1\n", "shop.b": "X = 1\n"})
    a, b = app.load("shop.a"), app.load("shop.b")
    before = app.picture()
    with pytest.raises(SwapFailedError, match="ZeroDivisionError"):
        app.push({
            "shop.a": "def f():\n    return 2\n",
            "shop.b": "import shop.c\nX = shop.c.Y\nprint(1 / 0)\n",
            "shop.c": "Y = 1\n",
        })  # fmt: skip
    assert app.picture() == before
    assert (a.f(), b.X) == (1, 1)
    assert "shop.c" not in sys.modules


def test_an_undo_that_fails_is_told_and_goes_on(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be put back is put back even when one inverse raises; the error says that the process is in neither."""
    app = start({"shop": "def f():\n    return 1\ndef g():\n    return 1\n"})
    shop = app.load("shop")

    class Broken(UndoLog):
        def do_all(self, steps: list[Step], inverses: list[Step]) -> None:
            super().do_all(steps, inverses)
            self.note((_fail,))

    monkeypatch.setattr(staged, "UndoLog", Broken)
    committed = app.push({"shop": "def f():\n    return 2\ndef g():\n    return 2\n"})
    with pytest.raises(SwapUndoError):
        committed.undo()
    assert (shop.f(), shop.g()) == (1, 1)


def _fail() -> None:
    raise OSError("cannot")


def test_staging_changes_nothing(start: Any) -> None:
    """A plan that is dropped leaves no trace, even for a release that touches everything."""
    app, _ = begin(start)
    before = app.picture()
    plan = app.stage(AFTER)
    assert app.picture() == before
    assert plan.report.of("shop.cart").run

"""Who holds a decorated function runs it with its new decorators: in tables, as callbacks, under other names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]

MAKERS = """
from functools import wraps
def times(n):
    def decorate(f):
        @wraps(f)
        def wrapper(*a):
            return [f(*a)] * n
        return wrapper
    return decorate
def plus(f):
    @wraps(f)
    def wrapper(*a):
        return 1 + f(*a)
    return wrapper
HOOKS = []
def hook(f):
    HOOKS.append(f)
    return f
"""
TABLE = "TABLE = {'f': f}\n"


def swap(start: Start, before: str, after: str) -> tuple[Any, Any, Any]:
    """The module, what the name was bound to before, and the way back, tried once already."""
    app = start({"shop": MAKERS + before + TABLE})
    shop = app.load("shop")
    old, picture = shop.f, app.picture()
    app.push({"shop": MAKERS + after + TABLE}).undo()
    assert app.picture() == picture
    committed = app.push({"shop": MAKERS + after + TABLE})
    return shop, old, committed


def test_other_arguments_of_a_decorator_reach_everyone(start: Start) -> None:
    """The old result stays the same object and does what the new one does; taken back, it does what it did."""
    shop, old, committed = swap(
        start, "@times(2)\ndef f(x):\n    return x\n", "@times(3)\ndef f(x, y=1):\n    return x + y\n"
    )
    assert shop.f is old is shop.TABLE["f"]
    assert old(1) == [2, 2, 2]
    committed.undo()
    assert old(1) == [1, 1]


def test_other_decorators_reach_everyone(start: Start) -> None:
    """One decorator of several goes, or another takes its place, or all go."""
    body = "def f(x):\n    return x\n"
    for after, expected in (("@plus\n", 2), ("@times(1)\n@plus\n", [2]), ("", 1)):
        shop, old, _ = swap(start, "@times(2)\n@plus\n" + body, after + body)
        assert shop.f is old is shop.TABLE["f"]
        assert old(1) == expected


def test_layers_of_one_maker_do_not_call_themselves(start: Start) -> None:
    """The same decorator twice makes two layers: neither becomes what it is called by."""
    body = "def f(x):\n    return x\n"
    shop, _, _ = swap(start, "@times(2)\n@times(3)\n" + body, "@times(1)\n@times(2)\n" + body)
    assert shop.f(1) == [[1, 1]]


def test_what_was_registered_is_what_the_name_is_bound_to(start: Start) -> None:
    """An outer decorator that registers is given the object that stays, so that it can be found again later."""
    body = "def f(x):\n    return x\n"
    shop, old, _ = swap(start, "@hook\n@times(2)\n" + body, "@hook\n@times(3)\n" + body)
    assert [shop.f] == shop.HOOKS
    assert shop.f is old
    shop, _, _ = swap(start, "@hook\n@times(2)\n" + body, "@hook\n@plus\n" + body)
    assert [shop.f] == shop.HOOKS
    assert shop.HOOKS[0](1) == 2


def test_a_lambda_with_other_defaults_stays_itself(start: Start) -> None:
    """`f = lambda x, y=1: ...` is a definition; another name for a lambda is not."""
    app = start({"shop": "f = lambda x, y=1: x + y\ng = lambda: 'g'\nh = lambda: 'h'\nnamed = g\n"})
    shop = app.load("shop")
    f, g, h = shop.f, shop.g, shop.h
    app.push({"shop": "f = lambda x, y=2: x * y\ng = lambda: 'g'\nh = lambda: 'h'\nnamed = h\n"})
    assert f is shop.f
    assert f(3) == 6
    assert (shop.named, shop.g, g(), h()) == (h, g, "g", "h")
    app.push({"shop": "f = lambda x, y=2: x * y\ng = lambda: 'g'\nh = lambda: 'h'\nnamed = lambda: 'n'\n"})
    assert (shop.named(), h(), shop.h()) == ("n", "h", "h")

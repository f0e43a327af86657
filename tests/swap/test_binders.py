"""A name that several statements of a body bind means, after a swap, what the last of them makes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]

OVERLOADS = """
from typing import overload
@overload
def pick(x: str) -> str: ...
@overload
def pick(x: int) -> int: ...
def pick(x=None):
    return ("real", x)
class Shop:
    @overload
    def get(self, x: str) -> str: ...
    def get(self, x=None):
        return ("real", x)
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def pick(x=None)", "@overload\ndef pick(x: None) -> None: ...\ndef pick(x=None)"),
        ("def pick(x=None)", "def pick(x: None) -> None: ...\ndef pick(x=None)"),
        ("def pick(x: int)", "def pick(x: list)"),
        ("def pick(x=None)", "def pick(x=None, *more)"),
        ("@overload\ndef pick(x: int) -> int: ...\n", ""),
        ("    def get(self, x=None)", "    def get(self, x: int) -> int: ...\n    def get(self, x=None)"),
    ],
)
def test_the_implementation_keeps_the_name(start: Start, old: str, new: str) -> None:
    """Whatever becomes of the overloads, the last ``def`` is what is called, and it is the same object as before."""
    app = start({"shop": OVERLOADS})
    shop = app.load("shop")
    pick, get = shop.pick, shop.Shop.get
    committed = app.push({"shop": OVERLOADS.replace(old, new)})
    assert (shop.pick, shop.Shop.get) == (pick, get)
    assert (pick(1), shop.Shop().get(2)) == (("real", 1), ("real", 2))
    committed.undo()
    assert (shop.pick, pick(1)) == (pick, ("real", 1))


def test_a_kept_statement_has_the_last_word(start: Start) -> None:
    """A changed statement above it binds the name in passing only, for those that stand between."""
    source = "import os\nX = {}\nX = 5\nclass C:\n    y = {}\n    y = 5\n"
    app = start({"shop": source.format(1, 1)})
    shop = app.load("shop")
    shop.X = 7
    app.push({"shop": source.format("os.getpid() and 2", "os.getpid() and 2").replace("X = 5", "Y = [X]\nX = 5")})
    assert (shop.X, shop.Y, shop.C.y) == (7, [2], 5)


def test_what_reads_a_name_in_passing_is_named(start: Start) -> None:
    """A kept statement between the two was computed from what is not bound any more."""
    source = "import os\nX = {}\nHELD = [X]\nX = 5\n"
    app = start({"shop": source.format("os.getpid() and 1")})
    shop = app.load("shop")
    committed = app.push({"shop": source.format("os.getpid() and 2")})
    assert (shop.X, shop.HELD) == (5, [1])
    assert [entry.partition(" (")[0] for entry in committed.report.of("shop").stale] == ["HELD ="]


def test_a_name_falls_back_to_the_statement_above(start: Start) -> None:
    """Where the last of several is removed, the one before it has the name, as after an import."""
    app = start({"shop": "def f():\n    return 1\nX = 1\ndef f(a=0):\n    return 2\nX = 2\n"})
    shop = app.load("shop")
    app.push({"shop": "def f():\n    return 1\nX = 1\n"})
    assert (shop.f(), shop.X) == (1, 1)


def test_what_builds_on_the_name_runs_again(start: Start) -> None:
    """``f = wrap(f)`` below a ``def`` that changed wraps it anew; a change of its body alone runs nothing."""
    source = (
        "def wrap(f):\n    def run():\n        return ('wrapped', f())\n    return run\n"
        "def f({}):\n    return {}\nf = wrap(f)\n"
    )
    app = start({"shop": source.format("", 1)})
    shop = app.load("shop")
    held = shop.f
    app.push({"shop": source.format("", 2)})
    assert shop.f is held
    assert held() == ("wrapped", 2)
    app.push({"shop": source.format("a=3", "a")})
    assert (shop.f(), held()) == (("wrapped", 3), ("wrapped", 3))


@pytest.mark.parametrize("indent", ["", "    "], ids=["module", "class"])
@pytest.mark.parametrize(
    ("above", "below"),
    [("tmp = 1", "tmp = None"), ("import json as tmp", "tmp = 0"), ("one = 1\ntmp = one\none = 2", "tmp = None")],
    ids=["a constant", "an import", "one made of another"],
)
def test_a_statement_reads_what_is_bound_above_it(start: Start, above: str, below: str, indent: str) -> None:
    """And not what the same name means at the end of the body; that stays what it is."""
    text = f"{above}\nkept = (repr(tmp)[:9], 0)\n{below}\n"
    body = "".join(f"{indent}{line}\n" for line in text.splitlines())
    source = "class C:\n" + body if indent else body
    app = start({"shop": source})
    shop = app.load("shop")
    held = shop.C if indent else shop
    last = held.tmp
    app.push({"shop": source.replace(", 0)", ", 1)")})
    space: dict[str, object] = {}
    exec(text.replace(", 0)", ", 1)"), space)
    assert held.kept == space["kept"]
    assert held.tmp is last

"""What a living class cannot take is refused while staging, with the class, its instances and a way out."""

from __future__ import annotations

import collections
import gc
from collections.abc import Callable
from typing import Any

import pytest
from living import LiveApp

from habanero_receiver.swap import Refusal, SwapRefusedError

Start = Callable[[dict[str, str]], LiveApp]

ENUM = "import enum\n"
TUPLE = "from typing import NamedTuple\nfrom collections import namedtuple\n"
DATA = "from dataclasses import dataclass\n"


def refusal(start: Start, before: str, after: str) -> Refusal:
    """The one refusal of a change; nothing was touched by it."""
    app = start({"shop": before})
    app.load("shop")
    picture = app.picture()
    with pytest.raises(SwapRefusedError) as caught:
        app.stage({"shop": after})
    assert app.picture() == picture
    ((_, refused),) = caught.value.refusals
    return refused


@pytest.mark.parametrize(
    ("before", "after", "live"),
    [
        (ENUM + "class A(enum.IntEnum):\n    X = 1\n", ENUM + "class A(enum.IntEnum):\n    X = 2\n", "A, 1"),
        (ENUM + "class A(str, enum.Enum):\n    X = 'a'\n", ENUM + "class A(str, enum.Enum):\n    X = 'b'\n", "A, 1"),
        (ENUM + "class A(enum.IntFlag):\n    X = 1\n", ENUM + "class A(enum.IntFlag):\n    X = 4\n", "A, 1"),
        (ENUM + "A = enum.IntEnum('A', 'X Y')\n", ENUM + "A = enum.IntEnum('A', 'Y X')\n", "A, 2 living members"),
        (
            TUPLE + "class A(NamedTuple):\n    x: int\nHELD = [A(1), A(2)]\n",
            TUPLE + "class A(NamedTuple):\n    y: int\n    x: int\nHELD = [A(1), A(2)]\n",
            "A, 2 living instances",
        ),
        (TUPLE + "A = namedtuple('A', 'x')\nIT = A(1)\n", TUPLE + "A = namedtuple('A', 'y x')\nIT = A(1)\n", "A, 1"),
        (DATA + "@dataclass\nclass A:\n    x: int\n", DATA + "@dataclass(slots=True)\nclass A:\n    x: int\n", "A, 0"),
        ("class A:\n    __slots__ = ('x',)\n", "class A:\n    __slots__ = ('x', 'y')\n", "A, 0"),
        ("class A:\n    pass\nHELD = A()\n", "class A(dict):\n    pass\nHELD = A()\n", "A, 1 living instance"),
    ],
)
def test_what_a_living_class_cannot_take_is_refused_before_the_commit(
    start: Start, before: str, after: str, live: str
) -> None:
    """The refusal names the class and how many instances live, and says what to do."""
    found = refusal(start, before, after)
    assert f"class shop.{live}" in found.live
    assert "restart" in found.help


def test_named_tuples_without_living_tuples_take_any_fields(start: Start) -> None:
    """With no tuple of the old fields alive, the class is in all its parts what collections makes of the new ones."""
    text = TUPLE + "class A(NamedTuple):\n    x: int\n    y: int = 1\nB = namedtuple('B', 'p q')\n"
    app = start({"shop": text})
    shop = app.load("shop")
    classes = (shop.A, shop.B)
    app.push({"shop": text.replace("x: int\n    y: int = 1", "z: int\n    x: int = 2").replace("p q", "q r s")})
    assert classes == (shop.A, shop.B)
    assert (shop.A(5).z, shop.A(5).x, shop.B(1, 2, 3)._asdict()) == (5, 2, {"q": 1, "r": 2, "s": 3})
    assert not hasattr(shop.A, "y")
    assert not hasattr(shop.B, "p")
    assert shop.A._replace(shop.A(1), z=3) == (3, 2)
    plain: Any = collections.namedtuple("plain", "z x")  # it is what they are compared with
    assert {type(vars(shop.A)[n]) for n in ("z", "x")} == {type(vars(plain)["z"])}
    assert {vars(shop.A)[n].__module__ for n in ("_asdict", "_replace", "__repr__")} == {"collections"}


def test_a_tuple_made_after_the_plan_is_not_misread(start: Start) -> None:
    """When the first tuple of the old fields is made between plan and commit, the commit undoes itself."""
    text = TUPLE + "class A(NamedTuple):\n    x: int\n"
    app = start({"shop": text})
    shop = app.load("shop")
    staged = app.stage({"shop": text.replace("x: int", "y: int\n    x: int")})
    gc.disable()  # what was made a moment ago is looked for among what the collector did not look at twice
    try:
        held = shop.A(1)
        with pytest.raises(SwapRefusedError, match="living tuples have the fields"):
            staged.commit()
    finally:
        gc.enable()
    assert (held.x, shop.A._fields) == (1, ("x",))


def test_looking_ahead_calls_nothing_of_the_app(start: Start) -> None:
    """A body whose values or hooks are the app's own is evaluated in the commit, once."""
    text = (
        ENUM + "CALLS = []\ndef value(n):\n    CALLS.append(n)\n    return n\n"
        "class Base(enum.Enum):\n    def __init_subclass__(cls):\n        CALLS.append(cls.__name__)\n"
        "class A(enum.Enum):\n    X = value(1)\nclass B(Base):\n    Y = 1\n"
    )
    app = start({"shop": text})
    shop = app.load("shop")
    shop.CALLS.clear()
    staged = app.stage({"shop": text.replace("value(1)", "value(2)").replace("Y = 1", "Y = 3")})
    assert shop.CALLS == []
    staged.commit()
    assert (shop.A.X.value, shop.B.Y.value) == (2, 3)

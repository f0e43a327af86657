"""What the compiler and the class statement write into a class beside its members is as in a fresh process."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]

NESTED = """{gap}
X = 1
class A:
    {a}
    def f(self):
        self.a = 1{more}
    class Inner:
        {b}
        def g(self):
            self.b = 1{more}
if X:
    class Block:
        {c}
        def h(self):
            self.c = 1{more}
def make():
    class Local:
        {d}
        def i(self):
            self.d = 1{more}
    return Local
L = make()
"""


def text(*, gap: str = "", doc: str = "One.", more: str = "") -> str:
    return NESTED.format(gap=gap, more=more, **{name: f"'''{doc} {name}'''" for name in "abcd"})


def test_what_the_compiler_writes_into_classes_follows(start: Start) -> None:
    """Docstrings, first lines and assigned attributes of classes in classes, blocks and functions, and back again."""
    app = start({"shop": text()})
    shop = app.load("shop")
    classes = [shop.A, shop.A.Inner, shop.Block, shop.L]
    picture = app.picture()
    lines = [getattr(cls, "__firstlineno__", 0) for cls in classes]
    committed = app.push({"shop": text(gap="\n\n", doc="Two.", more="; self.z = 1")})
    assert [cls.__doc__ for cls in classes] == [f"Two. {name}" for name in "abcd"]
    if sys.version_info >= (3, 13):
        assert [cls.__firstlineno__ for cls in classes] == [line + 2 for line in lines]
        assert [{*cls.__static_attributes__} for cls in classes] == [{name, "z"} for name in "abcd"]
    committed.undo()
    assert app.picture() == picture


def test_a_docstring_set_at_run_time_stays(start: Start) -> None:
    """What the process said of a class itself is not overwritten by its body's docstring."""
    app = start({"shop": text()})
    shop = app.load("shop")
    shop.Block.__doc__ = "Mine."
    app.push({"shop": text(doc="Two.")})
    assert (shop.Block.__doc__, shop.A.__doc__) == ("Mine.", "Two. a")


@pytest.mark.parametrize(
    ("head", "derived"),
    [
        ("from dataclasses import dataclass\n@dataclass\nclass C:\n", "C(x: int = 1)"),
        ("from typing import NamedTuple\nclass C(NamedTuple):\n", "C(x,)"),
    ],
)
def test_a_derived_docstring_gives_way_and_comes_back(start: Start, head: str, derived: str) -> None:
    """A class that writes its own docstring has the body's while there is one."""
    app = start({"shop": head + "    x: int = 1\n"})
    shop = app.load("shop")
    app.push({"shop": head + "    'Mine.'\n    x: int = 1\n"})
    assert shop.C.__doc__ == "Mine."
    app.push({"shop": head + "    x: int = 1\n"})
    assert shop.C.__doc__ == derived


def test_type_parameters_follow_the_bases(start: Start) -> None:
    """A class with other generic bases has their parameters, and speaks of no alias that it does not inherit from."""
    head = (
        "from typing import Generic, TypeVar\nT = TypeVar('T')\nU = TypeVar('U')\nclass B(Generic[T]): ...\n"
        "class C({}): ...\nclass D({}): ...\n"
    )
    app = start({"shop": head.format("B", "B[int]")})
    shop = app.load("shop")
    app.push({"shop": head.format("B[U], Generic[U, T]", "B")})
    assert shop.C.__parameters__ == (shop.U, shop.T)
    assert shop.C[int, str].__args__ == (int, str)
    assert "__orig_bases__" not in vars(shop.D)
    app.push({"shop": head.format("B[U]", "B[T]")})
    assert (shop.C.__parameters__, shop.D.__parameters__) == ((shop.U,), (shop.T,))


def test_classes_with_type_parameters_take_new_members(start: Start) -> None:
    """New and changed members of `class C[T]` know its parameters, those of classes around it, and the class."""
    text = "class C[T]:\n    def m(self):\n        return 1\n    class D[U]:\n        pass\n"
    try:
        app = start({"shop": text})
    except SyntaxError:
        pytest.skip("type parameters came with Python 3.12")
    shop = app.load("shop")
    held, inner = shop.C(), shop.C.D()
    app.push({
        "shop": text.replace("return 1", "return T.__name__").replace("pass", "def k(self, x: U = 1):\n"
                "            return (T.__name__, U.__name__, __class__.__name__, x)")
        + "    x: T\n    def n(self, a: T = 2) -> T:\n        return (T.__name__, super().__class__, a)\n"
    })  # fmt: skip
    assert held.m() == "T"
    assert held.n()[::2] == ("T", 2)
    assert inner.k() == ("T", "U", "D", 1)
    assert shop.C.__annotations__ == {"x": shop.C.__type_params__[0]}


def test_a_class_that_says_it_is_of_another_module(start: Start) -> None:
    """Packages give their classes the name of their front page: docstrings follow all the same."""
    text = "class C:\n    '''{}'''\nC.__module__ = 'front'\n"
    app = start({"shop": text.format("One.")})
    shop = app.load("shop")
    app.push({"shop": text.format("Two.")})
    assert (shop.C.__doc__, shop.C.__module__) == ("Two.", "front")

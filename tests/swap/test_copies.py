"""What wrappers, properties and the like copied from a function follows it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]

WRAPPERS = """
import contextlib, functools

def deco(f):
    @functools.wraps(f)
    def wrapper(*a):
        return f(*a)
    return wrapper

class Command:
    def __init__(self, f):
        functools.update_wrapper(self, f)
        self.f = f

@deco
@functools.lru_cache
@deco
def chain():
    '''One.'''

@Command
def command():
    '''One.'''

@functools.singledispatch
def single(a):
    '''One.'''

@contextlib.contextmanager
def context():
    '''One.'''
    yield

class C:
    @property
    def prop(self):
        '''One.'''

    @functools.cached_property
    def cached(self):
        '''One.'''

    @staticmethod
    def static():
        '''One.'''
"""


def shown(shop: Any) -> dict[str, object]:
    """The docstrings of all objects of WRAPPERS, those inside of others too."""
    found: dict[str, object] = {}
    items = {**vars(shop), **{f"C.{name}": value for name, value in vars(shop.C).items()}}
    for name in ("chain", "command", "single", "context", "C.prop", "C.cached", "C.static"):
        item, depth = items[name], 0
        while item is not None:
            found[f"{name} {depth}"] = item.__doc__
            item, depth = getattr(item, "__wrapped__", None) or getattr(item, "fget", None), depth + 1
    return found


def test_copied_docstrings_follow_and_come_back(start: Start) -> None:
    """All that `functools.wraps` and its kin, properties and static methods copied is new; an undo gives it back."""
    app = start({"shop": WRAPPERS})
    shop = app.load("shop")
    shop.C.prop, shop.chain  # noqa: B018  # both are there
    before = app.picture()
    committed = app.push({"shop": WRAPPERS.replace("One.", "Two.")})
    assert set(shown(shop).values()) == {"Two."}
    committed.undo()
    assert set(shown(shop).values()) == {"One."}
    assert app.picture() == before


def test_a_docstring_that_is_not_the_functions_stays(start: Start) -> None:
    """One that a property was given, that was set at run time, or that the wrapper has of its own."""
    text = """
        import functools
        def deco(f):
            @functools.wraps(f)
            def wrapper():
                return f()
            return wrapper
        def plain(f):
            def wrapper():
                '''One.'''
                return f()
            return wrapper
        def get(self):
            '''One.'''
        class C:
            given = property(get, doc='Given.')
        @deco
        def set_later():
            '''One.'''
        @plain
        def own():
            '''One.'''
    """
    app = start({"shop": text})
    shop = app.load("shop")
    shop.set_later.__doc__ = "Mine."
    app.push({"shop": text.replace("'''One.'''\n        class", "'''Two.'''\n        class").replace(
        "def set_later():\n            '''One.'''", "def set_later():\n            '''Two.'''").replace(
        "def own():\n            '''One.'''", "def own():\n            '''Two.'''")})  # fmt: skip
    assert (shop.get.__doc__, shop.C.given.__doc__) == ("Two.", "Given.")
    assert (shop.set_later.__doc__, shop.set_later.__wrapped__.__doc__) == ("Mine.", "Two.")
    assert shop.own.__doc__ == "One."


@pytest.mark.parametrize("wrap", ["deco(f)", "functools.lru_cache(f)", "functools.partial(f)"])
def test_copied_annotations_follow(start: Start, wrap: str) -> None:
    """The annotations that a wrapper made by another statement shows are those of the function."""
    head = (
        "import functools\ndef deco(f):\n    @functools.wraps(f)\n    def wrapper(*a):\n        return f(*a)\n"
        "    return wrapper\n"
    )
    app = start({"shop": head + f"def f(a: int):\n    return a\nHELD = {wrap}\n"})
    shop = app.load("shop")
    held = shop.HELD
    app.push({"shop": head + f"def f(a: str, b: int = 1):\n    return a\nHELD = {wrap}\n"})
    assert shop.HELD is held
    assert shop.f.__annotations__ == {"a": str, "b": int}
    if not isinstance(held, functools.partial):
        assert held.__annotations__ is shop.f.__annotations__


def test_copies_of_a_class_follow_it(start: Start) -> None:
    """A function that wraps a class shows what the class binds: members, new ones and those that go, and its line."""
    text = """
        import functools
        def renamed(cls):
            @functools.wraps(cls)
            def make(*args):
                return cls(*args)
            return make
        class Table:
            size = 1
            gone = 2
            def name(self):
                return 'one'
        table = renamed(Table)
        table.gone = 'set since'
    """
    app = start({"shop": text})
    shop = app.load("shop")
    picture = app.picture()
    text = text.replace("import functools", "import functools\n        # moved")
    committed = app.push({"shop": text.replace("size = 1", "size = 3\n            late = 4")})
    table, cls = vars(shop.table), vars(shop.Table)
    assert {**table, "gone": 2} == {**cls, "__wrapped__": shop.Table}
    assert (table["size"], table["late"], table["gone"]) == (3, 4, "set since")
    committed.undo()
    assert app.picture() == picture

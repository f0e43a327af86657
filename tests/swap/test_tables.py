"""Tables of unchanged statements hold what functions and classes that they name are bound to after a swap."""

from __future__ import annotations

from collections.abc import Callable

from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]

MAKER = """
def loud(function):
    def wrapper(*words):
        return function(*words) + "!"
    return wrapper
"""
TABLES = """
BY_NAME = {"greet": greet, "more": [greet, ("x", (greet,))], "other": str}
ORDER = {greet: 1, str: 2}
KNOWN = {greet}
class Menu:
    first = [greet]
def added():
    return BY_NAME["late"]()
"""
PLAIN = "def greet():\n    return 'hi'\n"


def test_a_function_that_gains_a_decorator_is_exchanged_in_tables(start: Start) -> None:
    """In lists, dictionaries, keys, sets, nested tuples, classes, and in modules that imported it; and back again."""
    app = start({
        "shop/": "",
        "shop.a": MAKER + PLAIN + TABLES,
        "shop.b": "from .a import greet as hello\nALL = [hello, 1]\n",
    })  # fmt: skip
    b, a = app.load("shop.b"), app.load("shop.a")
    tables = a.BY_NAME, a.ORDER, a.KNOWN, a.Menu.first, b.ALL
    a.BY_NAME["late"] = a.greet
    picture = app.picture()
    committed = app.push({"shop.a": MAKER + "@loud\n" + PLAIN + TABLES})
    assert a.greet() == "hi!"
    now = a.BY_NAME, a.ORDER, a.KNOWN, a.Menu.first, b.ALL
    assert all(one is other for one, other in zip(now, tables, strict=True))
    assert a.BY_NAME["more"] == [a.greet, ("x", (a.greet,))]
    assert list(a.ORDER) == [a.greet, str]
    assert {a.greet} == a.KNOWN
    assert a.Menu.first == [a.greet]
    assert [a.greet, 1] == b.ALL
    assert a.added() == "hi!"
    committed.undo()
    assert app.picture() == picture


def test_a_function_that_becomes_a_class_is_exchanged_too(start: Start) -> None:
    """What a name means now is in the table, whatever it was; other entries are left alone."""
    app = start({"shop": PLAIN + "def other():\n    return 1\nTABLE = {'a': greet, 'b': other}\n"})
    shop = app.load("shop")
    other = shop.other
    app.push({"shop": "class greet:\n    x = 1\ndef other():\n    return 1\nTABLE = {'a': greet, 'b': other}\n"})
    assert {"a": shop.greet, "b": other} == shop.TABLE

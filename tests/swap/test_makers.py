"""Decorators and hooks whose own code changed: what they left of kept definitions is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]

MAKERS = """
KNOWN = {}
def mark(function):
    function.level = 1
    return function
def named(name):
    def decorate(function):
        KNOWN[name] = (function, 1)
        function.name = name
        return function
    return decorate
class Hub:
    def __init__(self):
        self.handlers = []
    def on(self, function):
        self.handlers.append(function)
        return function
HUB = Hub()
class Base:
    def __init_subclass__(cls):
        cls.key = 1
def wrap(function):
    def inner():
        return function()
    return inner
"""
WRAPPER = MAKERS[MAKERS.index("    def inner") :]
USES = """
import makers
@makers.mark
def a(): return 1
@makers.named("b")
def b(): return 1
@makers.HUB.on
def c(): return 1
class D(makers.Base): pass
@makers.wrap
def e(): return 1
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("function.level = 1", "function.level = 2", {"uses": ["a.level"]}),
        ("function.level = 1", "function.grade = 1", {"uses": ["a.grade", "a.level"]}),
        ("(function, 1)", "(function, 2)", {"makers": ["KNOWN"], "uses": ["b.name"]}),
        ("cls.key = 1", "cls.key = 2", {"uses": ["D.key"]}),
        (WRAPPER, "    return lambda: function()\n", {"uses": ["wrap.<locals>.inner"]}),
        ("return function()", "return (function(), 2)", {}),
        ("function.level = 1", "function.level = 1  # a word", {}),
    ],
)  # fmt: skip
def test_what_changed_makers_left_is_named(start: Start, old: str, new: str, expected: dict[str, list[str]]) -> None:
    """Attributes that they set, containers that they filled, closures that they make no more; nothing else is."""
    app = start({"makers": MAKERS, "uses": USES})
    app.load("uses")
    report = app.push({"makers": MAKERS.replace(old, new)}).report
    assert {
        name: [entry.partition(" (")[0] for entry in module.stale]
        for name, module in report.modules.items() if module.stale
    } == expected  # fmt: skip


BUILDER = """
class Builder:
    def __init__(self, cls):
        self.cls, self.names = cls, {}
    def add_order(self):
        self.names["__lt__"] = lambda self, other: True
    def add_size(self):
        self.names["__len__"] = lambda self: 1
    def finish(self):
        for name, value in self.names.items():
            setattr(self.cls, name, value)
        return self.cls
def finish(builder):
    builder.add_order()
    return builder.finish()
def build(cls):
    return finish(Builder(cls))
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("builder.add_order()", "builder.add_order(); builder.add_size()", ["P.__len__"]),
        ("builder.add_order()", "pass", ["P.__lt__"]),
        ("builder.add_order()", "builder.add_order(); setattr(builder.cls, 'made', 1)", ["P.made"]),
        ("self.names[\"__lt__\"]", "self.names[\"__gt__\"]", ["P.__gt__", "P.__lt__"]),
        ("other: True", "other: False", []),
        ("builder.add_order()", "len([builder]); builder.add_order()", []),
        ("{}\n", "{'size': 1}\n", []),
    ],
)
def test_what_makers_set_through_others_is_named(start: Start, old: str, new: str, expected: list[str]) -> None:
    """Attributes that a decorator sets through functions that it calls, and does so now or no more; no others."""
    app = start({"build": BUILDER, "uses": "import build\n@build.build\nclass P: pass\n"})
    app.load("uses")
    report = app.push({"build": BUILDER.replace(old, new)}).report
    assert sorted(entry.partition(" (")[0] for entry in report.of("uses").stale) == expected


def test_what_a_removed_decorator_had_set_goes(start: Start) -> None:
    """Of functions and classes alike: the attributes that its code sets."""
    text = MAKERS + "@mark\ndef f(): ...\n@mark\nclass C: ...\n@named('g')\ndef g(): ...\n"
    app = start({"makers": text})
    makers = app.load("makers")
    picture = app.picture()
    new: dict[str, str | None] = {"makers": MAKERS + "def f(): ...\nclass C: ...\n@mark\ndef g(): ...\n"}
    app.push(new).undo()
    assert app.picture() == picture
    app.push(new)
    assert not hasattr(makers.f, "level")
    assert not hasattr(makers.C, "level")
    assert vars(makers.g) == {"level": 1}


def test_a_hook_that_a_base_gains_is_named_for_the_classes_there_are(start: Start) -> None:
    """It is asked when a class is made: one that lives was not asked, and goes without what the hook does."""
    text = "KNOWN = []\nclass Base:\n    pass\nclass Shop(Base):\n    pass\n"
    app = start({"shop": text})
    app.load("shop")
    hook = "    def __init_subclass__(cls):\n        KNOWN.append(cls)\n"
    report = app.push({"shop": text.replace("    pass\n", hook, 1)}).report
    assert report.of("shop").stale == ["class Shop (Base.__init_subclass__, which changed, is not asked again)"]


def test_a_name_that_a_descriptor_left_somewhere_is_named(start: Start) -> None:
    """Of a name alone it cannot be told whose it is: it stays written down, and the report says where."""
    text = """
class Field:
    def __set_name__(self, owner, name):
        NAMES.append(name)
NAMES = []
class Shop:
    size = Field()
    price = Field()
"""
    app = start({"shop": text})
    shop = app.load("shop")
    report = app.push({"shop": text.replace("    price = Field()\n", "")}).report
    assert shop.NAMES == ["size", "price"]
    assert report.of("shop").stale == ["Shop.price (it is gone, and its name is still in shop.NAMES)"]


def test_what_a_decorator_collected_from_methods_is_named(start: Start) -> None:
    """It is not asked again when the class gets another method: its table lacks that, and the report says so."""
    text = """
def collect(cls):
    cls.table = {name: value for name, value in vars(cls).items() if name.startswith("do_")}
    return cls
@collect
class Shop:
    def do_start(self):
        return 1
"""
    app = start({"shop": text})
    shop = app.load("shop")
    report = app.push({"shop": text + "    def do_stop(self):\n        return 2\n"}).report
    assert shop.Shop().do_stop() == 2
    assert report.of("shop").stale == ["Shop.table (a decorator made it of the methods that the class had)"]


PASSING = """
def mark(function):
    function.level = 1
    return function
@mark
def a(): return 1
del mark
class C:
    def mark(function):
        function.level = 1
        return function
    @mark
    def b(self): return 1
    del mark
"""


def test_what_a_deleted_decorator_set_is_named(start: Start) -> None:
    """A decorator that a body makes, uses and deletes is nowhere to be found: what it set otherwise now is named."""
    app = start({"shop": PASSING})
    shop = app.load("shop")
    committed = app.push({"shop": PASSING.replace("level = 1", "level = 2")})
    named = [item.partition(" (")[0] for item in committed.report.of("shop").stale]
    assert sorted(named) == ["C.b.level", "a.level"]
    assert (shop.a.level, shop.C.b.level) == (1, 1)

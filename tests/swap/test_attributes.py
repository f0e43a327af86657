"""Attributes that statements of a module set or delete, and members of classes that depend on one another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]

CLASS = "class C:\n    a = 1\n    b = 2\n    def m(self):\n        return 'm'\n"


@pytest.mark.parametrize(("statement", "read", "fresh"), [
    ("C.late = 3", "getattr(C, 'late', None)", None),
    ("del C.b", "C.b", 2),
    ("C.a = 5", "C.a", 1),
    ("C.m = lambda self: 'other'", "C().m()", "m"),
    ("C.__doc__ = 'told'", "C.__doc__", None),
    ("f.x = 1", "getattr(f, 'x', None)", None),
    ("f.__doc__ = 'told'", "f.__doc__", "Born."),
])  # fmt: skip
def test_what_a_statement_did_to_an_attribute_is_taken_back(
    start: Start, statement: str, read: str, fresh: Any
) -> None:
    """When the statement goes, the attribute is what the class's body, or the function, had; undone, it is back."""
    text = CLASS + "def f():\n    'Born.'\n"
    app = start({"shop": f"{text}{statement}\n"})
    shop = app.load("shop")
    held, before = shop.C, eval(read, vars(shop)) if statement != "del C.b" else None
    picture = app.picture()
    committed = app.push({"shop": text})
    assert shop.C is held
    assert eval(read, vars(shop)) == fresh
    assert committed.report.of("shop").stale == []
    committed.undo()
    assert app.picture() == picture
    if before is not None:
        assert eval(read, vars(shop)) == before


def test_a_changed_statement_sets_its_attribute_again(start: Start) -> None:
    """It runs, and nothing is taken back that it sets too."""
    app = start({"shop": CLASS + "C.late = 3\nC.b = 4\n"})
    shop = app.load("shop")
    app.push({"shop": CLASS + "C.late = 5\n"})
    assert (shop.C.late, shop.C.b) == (5, 2)


def test_what_cannot_be_taken_back_is_named(start: Start) -> None:
    """What an attribute of an instance was before the statement is not known: it stays, and the report says so."""
    text = CLASS + "ONE = C()\n"
    app = start({"shop": text + "ONE.a = 7\n"})
    shop = app.load("shop")
    committed = app.push({"shop": text})
    assert shop.ONE.a == 7
    assert committed.report.of("shop").stale == ["ONE.a ="]


def test_a_statement_that_stays_has_the_last_word(start: Start) -> None:
    """A member that changed is not bound where a later statement deletes or replaces it."""
    end = "del C.b\nC.a = 9\n"
    app = start({"shop": CLASS + end})
    shop = app.load("shop")
    committed = app.push({"shop": CLASS.replace("b = 2", "b = 3").replace("a = 1", "a = 2") + end})
    assert (hasattr(shop.C, "b"), shop.C.a) == (False, 9)
    assert len(committed.report.of("shop").stale) == 1
    app.push({"shop": CLASS.replace("    a = 1\n", "").replace("b = 2", "b = 3") + end})
    assert (hasattr(shop.C, "b"), shop.C.a) == (False, 9)


def test_members_follow_members_of_their_class(start: Start) -> None:
    """Plain attributes and defaults computed from a member that changed follow it, through one another; others stay."""
    text = (
        "class C:\n    limit = {}\n    twice = limit * 2\n    both = (limit, twice)\n    pool = [limit]\n"
        "    def get(self, n=limit):\n        return n\n"
    )
    app = start({"shop": text.format(1)})
    shop = app.load("shop")
    pool, get = shop.C.pool, shop.C.get
    committed = app.push({"shop": text.format(5)})
    assert (shop.C.twice, shop.C.both, shop.C().get()) == (10, (5, 10), 5)
    assert (shop.C.pool is pool, shop.C.get is get) == (True, True)
    assert committed.report.of("shop").stale == ["C.pool ="]
    committed.undo()
    assert (shop.C.twice, shop.C.both, shop.C().get()) == (2, (1, 2), 1)


def test_a_member_that_the_process_set_does_not_follow(start: Start) -> None:
    """What was set at run time over a computed attribute stays, and the report names it."""
    text = "class C:\n    limit = {}\n    twice = limit * 2\n"
    app = start({"shop": text.format(1)})
    shop = app.load("shop")
    shop.C.twice = 7
    committed = app.push({"shop": text.format(5)})
    assert shop.C.twice == 7
    assert committed.report.of("shop").stale == ["C.twice ="]


REGISTERED = """
    class Base:
        known = {}
        order = []
        def __init_subclass__(cls, **given):
            Base.known[cls.__name__] = cls
            Base.order.append(cls)
    class A(Base): ...
    class B(Base): ...
"""


def test_a_class_that_goes_leaves_the_registry_of_its_base(start: Start) -> None:
    """What `__init_subclass__` filled holds it no more, nor what a metaclass of the app did; undone, it is back."""
    app = start({"shop": REGISTERED})
    shop = app.load("shop")
    gone = shop.B
    committed = app.push({"shop": REGISTERED.replace("    class B(Base): ...\n", "")})
    assert shop.Base.known == {"A": shop.A}
    assert shop.Base.order == [shop.A]
    committed.undo()
    assert shop.Base.known == {"A": shop.A, "B": gone}
    assert shop.Base.order == [shop.A, gone]


def test_a_class_that_goes_leaves_what_its_metaclass_filled(start: Start) -> None:
    """As for hooks: a registry that the metaclass writes to."""
    text = (
        "KINDS = {}\nclass Meta(type):\n    def __init__(cls, name, bases, names):\n        KINDS[name] = cls\n"
        "class A(metaclass=Meta): ...\n"
    )
    app = start({"shop": text + "class B(metaclass=Meta): ...\n"})
    shop = app.load("shop")
    app.push({"shop": text})
    assert {"A": shop.A} == shop.KINDS

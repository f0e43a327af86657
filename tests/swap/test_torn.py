"""Threads that call and look at functions while these change: never a mix of two versions, never a crash.

What a thread looks at here it looks at in one call into C, between whose parts no other thread runs: whatever it finds
was there at one moment.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from operator import attrgetter
from types import FunctionType
from typing import Any

import pytest
from living import LiveApp

from habanero_receiver.swap.functions.moves import apply, transplant
from habanero_receiver.swap.undo import UndoLog

Start = Callable[[dict[str, str]], LiveApp]

PARTS = attrgetter("__code__.co_consts", "__defaults__", "__kwdefaults__", "__code__.co_freevars", "__closure__")


def hammered(work: Callable[[], None], look: Callable[[], object]) -> list[object]:
    """Runs ``work`` while four threads look without pause; returns what they did not like."""
    stop, ready = threading.Event(), threading.Barrier(5)
    wrong: list[object] = []

    def hammer() -> None:
        ready.wait(30)
        while not stop.is_set():
            if (found := look()) is not None:
                wrong.append(found)

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # between as many bytecodes as can be
    for thread in threads:
        thread.start()
    try:
        ready.wait(30)
        work()
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        for thread in threads:
            thread.join()
    return wrong


def two(source: str) -> tuple[FunctionType, FunctionType]:
    """Closures of two versions: other code, defaults, keyword defaults and another number of cells."""
    names: dict[str, Any] = {}
    exec(source, names)
    return names["make_one"]("one", "one"), names["make_two"]("two", "two", "two")


@pytest.mark.heavy
def test_thousands_of_exchanges_are_never_seen_half_done() -> None:
    """Code, defaults, keyword defaults and closure of a function are of one version at any moment, undone too."""
    living, other = two(
        "def make_one(a, b):\n    def f(x='one', *, y='one'):\n        return {x, y, a, b, 'one'}\n    return f\n"
        "def make_two(c, a, b):\n    def f(z='two', x='two', *, y='two', w='two'):\n"
        "        return {x, y, z, w, a, b, c, 'two'}\n    return f\n"
    )
    cells = dict(zip(other.__code__.co_freevars, other.__closure__ or (), strict=True))
    one = PARTS(living)
    moves = 0

    def work() -> None:
        nonlocal moves
        pairs = transplant(other, living, cells)
        for _ in range(3000):
            log = UndoLog()
            apply(pairs, log)
            log.undo()
            moves += 2

    def look() -> object:
        consts, defaults, by_name, free, closure = PARTS(living)
        new = "two" in consts
        whole = (defaults, by_name) == (
            (("two", "two"), {"y": "two", "w": "two"}) if new else (("one",), {"y": "one"})
        )
        whole = whole and len(free) == len(closure) == (3 if new else 2)
        said = living()
        return None if whole and (said == {"one"} or "two" in said) else (consts, defaults, by_name, free, said)

    assert hammered(work, look) == []
    assert moves == 6000
    assert PARTS(living) == one


def module(n: int) -> str:
    body = "super().__init__()\n        " if n % 2 else ""
    return (
        f"class C:\n    def one(self, a={n}, *, b={n}):\n        {body}return (a, b, {n})\n"
        + "".join(f"    def m{i}(self):\n        return {n}\n" for i in range(20))
        + f"def make(k):\n    def inner(a={n}):\n        return (a, {n}, k)\n    return inner\n"
    )


@pytest.mark.heavy
def test_swaps_tear_neither_functions_nor_classes(start: Start) -> None:
    """A method's code and defaults, a closure's, and all patched methods of a class are of one version always."""
    app = start({"shop": module(0)})
    shop = app.load("shop")
    held, inner = shop.C(), shop.make("k")
    methods = [vars(shop.C)[f"m{i}"] for i in range(20)]
    constants = attrgetter("__code__.co_consts")

    def look() -> object:
        found = tuple(map(constants, methods))
        seen = set(found)
        a, b, n = held.one()
        default, m, k = inner()
        return None if len(seen) == 1 and a == b == n and default == m and k == "k" else (seen, a, b, n, default, m)

    def work() -> None:
        for n in range(1, 8):
            committed = app.push({"shop": module(n)})
            committed.undo()
            app.push({"shop": module(n)}).seal()

    assert hammered(work, look) == []
    assert (held.one(), inner()) == ((7, 7, 7), (7, 7, "k"))


def test_a_method_finds_the_new_members_of_its_class_at_once(start: Start) -> None:
    """A statement of a module imported earlier calls a patched method before the class's own statements run."""
    before = """
        from calls import CALLS
        class Rates:
            base = 1
            def rate(self):
                return self.base
        CALLS.append(Rates().rate)
    """
    after = """
        from calls import CALLS
        class Rates:
            base = 2
            extra = 3
            def rate(self):
                return self.base + self.extra + self.more()
            def more(self, by=10):
                return by * len(__class__.__name__)
        CALLS.append(Rates().rate)
    """
    app = start({"calls": "CALLS = []\nSEEN = 0\n", "shop": before})
    calls, shop = app.load("calls"), app.load("shop")
    picture = app.picture()
    committed = app.push({"calls": "CALLS = []\nSEEN = [call() for call in CALLS]\n", "shop": after})
    assert calls.SEEN == [2 + 3 + 50]
    committed.undo()
    assert app.picture() == picture
    assert not hasattr(shop.Rates, "extra")
    assert not hasattr(shop.Rates, "more")


def test_what_a_class_and_its_functions_held_comes_back(start: Start) -> None:
    """An undo restores annotations that followed, and registries that a class body made for itself."""
    before = """
        from typing import NewType
        Id = NewType("Id", int)
        def find(key: Id):
            return key
        class App:
            handlers = {}
            def on(name, handlers=handlers):
                def add(function):
                    handlers[name] = function
                    return function
                return add
            @on("a")
            def a(self):
                return 1
            del on
    """
    after = before.replace("int)", "str)").replace('@on("a")', '@on("b")')
    app = start({"shop": before})
    shop = app.load("shop")
    picture = app.picture()
    committed = app.push({"shop": after})
    assert shop.find.__annotations__ == {"key": shop.Id}
    assert list(shop.App.handlers) == ["b"]
    committed.undo()
    assert app.picture() == picture

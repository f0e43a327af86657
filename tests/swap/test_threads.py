"""Swaps under threads that never stop calling, and swaps over a long life."""

from __future__ import annotations

import gc
import threading
from collections import Counter
from collections.abc import Callable
from types import CodeType, FunctionType

import pytest
from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]


def version(n: int) -> str:
    functions = "".join(f"def f{i}(a={n}, *, b={n}):\n    x = {n}\n    return (x, x)\n" for i in range(40))
    return functions + (
        f"def make(n):\n    def inner():\n        return ({n}, n)\n    return inner\n"
        f"class C:\n    def one(self):\n        return {n}\n    def two(self):\n        return {n}\n"
    )


@pytest.mark.heavy
def test_no_thread_sees_a_torn_function(start: Start) -> None:
    """Code, defaults and keyword defaults of one function are of one version at any time, whoever calls meanwhile."""
    app = start({"shop": version(0)})
    shop = app.load("shop")
    stop = threading.Event()
    wrong: list[object] = []
    calls = Counter[int]()

    def hammer(seed: int) -> None:
        held = [getattr(shop, f"f{i}") for i in range(40)]
        inner = shop.make(seed)
        while not stop.is_set():
            for f in held:
                one, two = f()
                if one != two:
                    wrong.append((one, two))
            if inner()[1] != seed:
                wrong.append(inner())
            calls[seed] += 1

    threads = [threading.Thread(target=hammer, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    try:
        for n in range(1, 40):
            app.push({"shop": version(n)}).seal()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert all(calls[i] for i in range(4))
    assert shop.f0() == (39, 39)


def test_stages_of_many_threads_end_in_one_version(start: Start) -> None:
    """Plans made side by side do not mix: each commit is of a plan that was still true, or refused."""
    from habanero_receiver.swap import SwapRefusedError

    app = start({"shop": version(0)})
    shop = app.load("shop")
    commit_lock = threading.Lock()
    done: list[int] = []

    def push(n: int) -> None:
        for _ in range(5):
            staged = app.stage({"shop": version(n)})
            with commit_lock:
                try:
                    staged.commit()
                except SwapRefusedError:
                    continue
                done.append(n)

    threads = [threading.Thread(target=push, args=(n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = done[-1]
    assert shop.f0() == (last, last)
    assert (shop.C().one(), shop.make(7)()) == (last, (last, 7))


def long_lived(n: int) -> str:
    return f"""
        import enum
        from dataclasses import dataclass
        ROUTES = []
        def route(path):
            def add(f):
                ROUTES.append((path, f))
                return f
            return add
        def logged(f):
            def wrapper(*a):
                return ({n}, f(*a))
            return wrapper
        @route("/{n % 2}")
        @logged
        def view(a={n}):
            return [a for a in range({n % 3})]
        @dataclass
        class D:
            x: int = {n}
            def m(self):
                return {n}
        class E(enum.Enum):
            A = {n}
            B = "b"
        class K:
            z = {n}
            def __init_subclass__(cls):
                cls.y = {n}
        class L(K):
            def m(self):
                return super().__init__
    """


@pytest.mark.heavy
def test_many_swaps_leave_nothing_behind(start: Start) -> None:
    """After 70 swaps there are no more functions, classes and code objects than after a few."""
    app = start({"shop": long_lived(0)})
    shop = app.load("shop")

    def count() -> Counter[str]:
        gc.collect()
        kinds = (FunctionType, CodeType, type, dict, list, tuple)
        return Counter(kind.__name__ for o in gc.get_objects() for kind in kinds if type(o) is kind)

    for n in range(1, 10):
        app.push({"shop": long_lived(n)}).seal()
    before = count()
    for n in range(10, 80):
        app.push({"shop": long_lived(n)}).seal()
    after = count()
    assert shop.D().x == 79
    assert shop.E.A.value == 79
    assert [path for path, _ in shop.ROUTES] == ["/1"]
    grown = {kind: after[kind] - before[kind] for kind in before if after[kind] - before[kind] > 30}
    assert grown == {}

"""Containers that statements fill: after a swap they hold what the new statements put in, and what the process did."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import pytest
from living import LiveApp

from habanero_receiver.swap import SwapRefusedError
from habanero_receiver.swap.containers.merge import merge
from habanero_receiver.swap.undo import UndoLog

Start = Callable[[dict[str, str]], LiveApp]

CHANGES = [
    ("X = []\nfor i in range(3):\n    X.append(i * 2)\n", "X = []\nfor i in range(3):\n    X.append(i * 4)\n"),
    ("X = ['a']\nX += ['b']\n", "X = ['a']\nX += ['b', 'c']\n"),
    ("X = ['a']\nX += ['b']\nX += ['c']\n", "X = ['a']\nX += ['c']\nX += ['b']\n"),
    ("X = ('a',)\nX += ('b',)\n", "X = ('a',)\nX += ('c',)\n"),
    ("X = 1\nX += 2\nY = X * 2\n", "X = 1\nX += 3\nY = X * 2\n"),
    ("X = ['a']\nX.append('b')\n", "X = ['z']\nX.append('b')\n"),
    ("X = {}\nX['a'] = 1\nX['b'] = 2\n", "X = {}\nX['c'] = 1\nX['b'] = 3\n"),
    ("X = {'a': {}}\nX['a']['m'] = 2\n", "X = {'a': {}}\nX['a']['m'] = 3\nX['a'].setdefault('l', []).append(1)\n"),
    ("X = {'a': 1, 'b': 2}\ndel X['a']\n", "X = {'a': 1, 'b': 2}\n"),
    ("X = {1, 2}\nX.add(3)\n", "X = {1, 2}\nX |= {4}\n"),
    ("X = []\nX.append(1)\nX.append(3)\n", "X = []\nX.append(1)\nX.append(2)\nX.append(3)\nN = len(X)\n"),
    ("X = []\nX.append(1)\nN = len(X)\n", "X = []\nX.append(1)\nX.extend('ab'.split())\nN = len(X)\n"),
    ("def f(): ...\nX = []\nX.append(f)\n", "X = []\n"),
    ("X = []\nX.append(1)\n", "if True:\n    X = []\nX.append(2)\n"),
    (2 * "X = []\n" + "X.append(1)\nY = []\nfor i in X:\n    Y.append(i)\n",
     2 * "X = []\n" + "X.append(2)\nY = []\nfor i in X:\n    Y.append(i)\n"),
    ("from collections import deque\nX = deque([1])\nX.append(2)\n",
     "from collections import deque\nX = deque([1])\nX.appendleft(2)\n"),
    ("from collections import defaultdict\nX = defaultdict(list)\nX['a'].append(1)\n",
     "from collections import defaultdict\nX = defaultdict(list)\nX['b'].append(1)\n"),
]  # fmt: skip


def values(namespace: Any) -> dict[str, Any]:
    """What a module or class binds, functions told by name."""
    return {n: v for n, v in vars(namespace).items() if not n.startswith("_") and n not in ("deque", "defaultdict")}


@pytest.mark.parametrize("indent", ["", "    "])
@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_a_filled_container_is_what_a_fresh_one_would_be(start: Start, before: str, after: str, indent: str) -> None:
    """Whatever filler changes, comes or goes, in a module or a class: nothing is doubled and nothing is left."""
    head = "class C:\n    x = 0\n" if indent else "x = 0\n"
    old, new = (head + "".join(f"{indent}{line}\n" for line in text.splitlines()) for text in (before, after))
    fresh: dict[str, Any] = {}
    exec(new, fresh)
    expected = values(fresh["C"]) if indent else {n: v for n, v in fresh.items() if not n.startswith("_")}
    app = start({"shop": old})
    shop = app.load("shop")
    picture = app.picture()
    committed = app.push({"shop": new})
    assert committed.report.of("shop").stale == []
    found = values(shop.C if indent else shop)
    assert {n: v for n, v in found.items() if not callable(v)} == {
        n: v for n, v in expected.items() if not callable(v)
    }
    for name, value in found.items():
        if isinstance(value, dict):
            assert list(value) == list(expected[name])
    committed.undo()
    assert app.picture() == picture


def test_the_container_stays_and_with_it_what_the_process_did(start: Start) -> None:
    """The object is the same, what the process added stays in its place, and what it took out stays out."""
    text = "X = ['a']\nX += ['b', 'c']\nD = {}\nD['a'] = 1\nD['b'] = 1\nF = []\nF.append(lambda: 1)\n"
    app = start({"shop": text})
    shop = app.load("shop")
    held, function = (shop.X, shop.D, shop.F), shop.F[0]
    shop.X.insert(0, "mine")
    shop.X.remove("b")
    shop.D.update(mine=2, b=5)
    app.push({"shop": text.replace("'c']", "'d']").replace("D['a']", "D['z']") + "F.append(lambda: 2)\n"})
    assert shop.X == ["mine", "a", "d"]
    assert list(shop.D.items()) == [("z", 1), ("b", 5), ("mine", 2)]
    assert [f() for f in shop.F] == [1, 2]
    assert (shop.X is held[0], shop.D is held[1], shop.F is held[2], function in shop.F) == (True,) * 4


def test_a_function_in_a_container_is_patched_and_stays(start: Start) -> None:
    """The entry whose body changed is the same function with new code, though another entry came before it."""
    app = start({"shop": "F = []\nF.append(lambda: 1)\n"})
    shop = app.load("shop")
    held = shop.F[0]
    app.push({"shop": "F = []\nF.append(len)\nF.append(lambda: 2)\n"})
    assert (shop.F[0], shop.F[1] is held, held()) == (len, True, 2)


def test_entries_of_several_modules_in_one_container(start: Start) -> None:
    """A module's entries change in their place among those that other modules put into the same container."""
    app = start({"shop/": "", "shop.reg": "X = []\n", "shop.a": "from .reg import X\nX.append(1)\nX.append(2)\n",
                 "shop.b": "from .reg import X\nX.append(3)\n"})  # fmt: skip
    app.load("shop.a")
    app.load("shop.b")
    reg = app.load("shop.reg")
    app.push({"shop.a": "from .reg import X\nX.append(5)\nX.append(2)\nX.append(6)\n"})
    assert reg.X == [5, 2, 6, 3]
    app.push({"shop.a": "from .reg import X\nX.append(2)\n"})
    assert reg.X == [2, 3]


def test_a_new_object_is_filled_again(start: Start) -> None:
    """Where the creating statement changed and cannot be run apart, unchanged fillers run on what it makes now."""
    app = start({"shop": "def make(n):\n    return [n]\nX = make(1)\nX.append(2)\n"})
    shop = app.load("shop")
    app.push({"shop": "def make(n):\n    return [n]\nX = make(3)\nX.append(2)\n"})
    assert shop.X == [3, 2]


def test_what_could_be_doubled_is_refused(start: Start) -> None:
    """A statement that adds what only the app can make, as its old form did, is refused with the container's name."""
    text = "def make(n):\n    return n\nX = []\nfor i in range(2):\n    X.append(make(i))\n"
    app = start({"shop": text})
    shop = app.load("shop")
    with pytest.raises(SwapRefusedError, match="it adds to X, as its old form did"):
        app.push({"shop": text.replace("make(i)", "make(i + 1)")})
    assert shop.X == [0, 1]


def test_what_can_double_nothing_runs(start: Start) -> None:
    """A statement that only the app can run writes keys of a mapping again; a new one just adds to a list."""
    text = "def make(n):\n    return n\nX = {}\nX['a'] = make(1)\nL = []\n"
    app = start({"shop": text})
    shop = app.load("shop")
    app.push({"shop": text.replace("make(1)", "make(2)") + "L.append(make(3))\n"})
    assert (shop.X, shop.L) == ({"a": 2}, [3])


@pytest.mark.parametrize("statement", [
    "X.append(SHARED.pop())", "X.append(next(ITER))", "X.extend(ITER)", "X.append(SHARED)\nX[-1].append(1)",
    "X.append(make())", "X.append(sorted(SHARED, key=make))", "Y = SHARED\nY.append(1)\nX += Y",
])  # fmt: skip
def test_nothing_that_lives_is_used_while_staging(start: Start, statement: str) -> None:
    """A plan takes nothing out of live iterators and containers, writes to none, and calls no function of the app."""
    head = "CALLS = []\ndef make(*_):\n    CALLS.append(1)\n    return 1\n"
    head += "SHARED = [3, 2, 1]\nITER = iter([1, 2, 3])\nX = [0]\n"
    app = start({"shop": head + "X.append(1)\n"})
    shop = app.load("shop")
    picture = app.picture()
    with contextlib.suppress(SwapRefusedError):
        app.stage({"shop": head + statement + "\n"})
    assert app.picture() == picture
    assert (shop.CALLS, shop.SHARED, next(shop.ITER)) == ([], [3, 2, 1], 1)


@pytest.mark.parametrize(("live", "old", "new", "merged", "lost"), [
    ([1, 2], [1, 2], [1, 2, 3], [1, 2, 3], []),
    ([1, 9, 2], [1, 2], [1, 3], [1, 9, 3], []),
    ([2, 1], [1, 2], [1, 3], [3, 1], []),
    ([9], [1], [2], [9, 2], [1]),
    ([1, 9], [], [5], [1, 9, 5], []),
    ({"a": 1, "p": 0}, {"a": 1}, {"b": 1, "a": 2}, {"b": 1, "a": 2, "p": 0}, []),
    ({"a": {"x": 1, "p": 0}}, {"a": {"x": 1}}, {"a": {"y": 1}}, {"a": {"y": 1, "p": 0}}, []),
    ({"p": 0}, {"a": 1}, {"a": 1}, {"p": 0}, []),
    ({1, 9}, {1, 2}, {3}, {9, 3}, []),
])  # fmt: skip
def test_three_versions_merge(live: Any, old: Any, new: Any, merged: Any, lost: list[Any]) -> None:
    """Old entries go, new ones come in their places, the process's own stay; undone, the container is as it was."""
    before, log = copy.deepcopy(live), UndoLog()
    assert merge(log, live, old, new) == lost
    assert live == merged
    assert not isinstance(live, dict) or list(live) == list(merged)
    log.undo()
    assert live == before
    assert not isinstance(live, dict) or list(live) == list(before)


def test_a_container_that_holds_itself_can_be_merged() -> None:
    """Entries are compared down to a certain depth only."""
    held: list[Any] = [1]
    held.append(held)
    live = [held]
    merge(UndoLog(), live, [held], [held, 2])
    assert live == [held, 2]

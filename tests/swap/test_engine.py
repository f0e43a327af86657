"""Swaps of a live app: identity, state, imports, and what is refused."""

from __future__ import annotations

import importlib
import inspect
import linecache
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from living import LiveApp

from habanero_receiver.swap import ModuleImage, Swapper, SwapRefusedError, image_from_source

Start = Callable[[dict[str, str]], LiveApp]


def test_every_reference_runs_the_new_code(start: Start) -> None:
    """Functions keep their identity, so whoever holds one, in whatever wrapping, calls the new version."""
    app = start({"shop": "def f(x=1):\n    return ('old', x)\nclass C:\n    def m(self):\n        return 'old'\n"})
    shop = app.load("shop")
    held, bound, wrapped = shop.f, shop.C().m, partial(shop.f, 2)
    identities = (id(shop), id(shop.f), id(shop.C), id(shop.C.m))
    app.push({"shop": "def f(x=1):\n    return ('new', x)\nclass C:\n    def m(self):\n        return 'new'\n"})
    assert (held(), bound(), wrapped()) == (("new", 1), "new", ("new", 2))
    assert (id(shop), id(shop.f), id(shop.C), id(shop.C.m)) == identities


def test_what_did_not_change_is_not_run_again(start: Start) -> None:
    """Unchanged statements keep their live values, and a comment or a moved line runs nothing at all."""
    app = start({"shop": "RUNS = []\nRUNS.append(1)\nX = object()\ndef f():\n    return X\n"})
    shop = app.load("shop")
    kept = shop.X
    staged = app.stage({"shop": "# why\n\nRUNS = []\nRUNS.append(1)\n\nX = object()\ndef f():\n    return X\n"})
    assert staged.report.of("shop").run == []
    staged.commit()
    assert (shop.RUNS, shop.f()) == ([1], kept)
    assert inspect.getsourcelines(shop.f)[1] == 7


def test_new_changed_and_removed_names(start: Start) -> None:
    """A changed statement is run, a new one once and in order, and a removed name is gone."""
    app = start({"shop": "A = [1]\nB = [2]\nGONE = 1\n"})
    shop = app.load("shop")
    a = shop.A
    app.push({"shop": "A = [1]\nB = [2, 3]\nC = A + B\nD = len(C)\n"})
    assert shop.A is a
    assert (shop.B, shop.C, shop.D) == ([2, 3], [1, 2, 3], 3)
    assert not hasattr(shop, "GONE")


def test_the_order_of_late_statements_is_that_of_the_source(start: Start) -> None:
    """Statements that have to wait for the commit run in the order in which they stand, whatever else moved."""
    app = start({"shop": "LOG = []\ndef say(x):\n    LOG.append(x)\n    return x\n"})
    shop = app.load("shop")
    app.push(
        {"shop": "LOG = []\ndef say(x):\n    LOG.append(x)\n    return x\nA = say(1)\nB = say(A + 1)\nC = say(B + 1)\n"}
    )
    assert shop.LOG == [1, 2, 3]


def test_the_overlay_is_the_whole_difference_from_the_base(start: Start) -> None:
    """Going to an overlay without a module takes it back to the base; several releases at once are like one."""
    app = start({"shop/": "", "shop.a": "def f():\n    return 1\n", "shop.b": "def g():\n    return 1\n"})
    a, b = app.load("shop.a"), app.load("shop.b")
    app.push({"shop.a": "def f():\n    return 2\n", "shop.b": "def g():\n    return 2\n"})
    app.push({"shop.b": "def g():\n    return 3\n"}, fresh=True)
    assert (a.f(), b.g()) == (1, 3)
    app.push({}, fresh=True)
    assert (a.f(), b.g()) == (1, 1)


def test_a_swap_to_what_runs_does_nothing(start: Start) -> None:
    """Staging what runs already plans nothing, for the base as for an overlay."""
    app = start({"shop": "def f():\n    return 1\n"})
    app.load("shop")
    assert app.stage({}).report.modules == {}
    app.push({"shop": "def f():\n    return 2\n"})
    assert app.stage({}).report.modules == {}


def test_a_stale_plan_is_refused(start: Start) -> None:
    """A plan made before another swap, or before its undo, was made for a process that is gone."""
    app = start({"shop": "def f():\n    return 1\n"})
    shop = app.load("shop")
    first, second = app.stage({"shop": "def f():\n    return 2\n"}), app.stage({"shop": "def f():\n    return 3\n"})
    committed = first.commit()
    with pytest.raises(SwapRefusedError, match="moved to another release"):
        second.commit()
    third = app.stage({"shop": "def f():\n    return 4\n"})
    committed.undo()
    with pytest.raises(SwapRefusedError):
        third.commit()
    assert shop.f() == 1


def test_several_modules_move_together(start: Start) -> None:
    """A release's modules take their changes imported ones first, in a circle of imports too."""
    app = start({
        "shop/": "",
        "shop.a": "import shop.b\nRATE = 1\ndef price():\n    return shop.b.base() * RATE\n",
        "shop.b": "import shop.a\ndef base():\n    return 10\n",
    })  # fmt: skip
    a = app.load("shop.a")
    app.push({
        "shop.a": "import shop.b\nfrom shop.b import START\nRATE = START + 1\ndef price():\n"
        "    return shop.b.base() * RATE\n",
        "shop.b": "import shop.a\nSTART = 4\ndef base():\n    return shop.a.RATE\n",
    })  # fmt: skip
    assert a.price() == 25


def test_new_modules_appear_and_deleted_ones_go(start: Start) -> None:
    """A module that the release adds can be imported, one that it deletes cannot; undone, it is the other way round."""
    app = start({"shop/": "", "shop.a": "A = 1\n", "shop.gone": "G = 1\n"})
    app.load("shop.a")
    shop, gone = app.load("shop"), app.load("shop.gone")
    committed = app.push({"shop.a": "from shop.fresh import F\nA = F\n", "shop.fresh": "F = 7\n", "shop.gone": None})
    assert app.load("shop.a").A == 7
    assert not hasattr(shop, "gone")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("shop.gone")
    committed.undo()
    assert app.load("shop.gone") is gone
    assert shop.gone is gone
    assert "shop.fresh" not in sys.modules
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("shop.fresh")


def test_a_module_imported_later_gets_the_new_code(start: Start) -> None:
    """What is not loaded is not patched: its first import takes the release's, and the next swap starts from that."""
    app = start({"shop/": "", "shop.lazy": "def f():\n    return 1\n"})
    app.load("shop")
    app.push({"shop.lazy": "def f():\n    return 2\n"})
    lazy = app.load("shop.lazy")
    assert lazy.f() == 2
    function = lazy.f
    app.push({"shop.lazy": "def f():\n    return 3\n"})
    assert function() == 3
    app.push({}, fresh=True)
    assert function() == 1


def test_a_module_loaded_from_an_overlay_before_the_engine_was_there(start: Start) -> None:
    """After boot the engine is new, and learns from the importer what each module was made from."""
    app = start({"shop": "def f():\n    return 1\nX = 1\n"})
    app.overlay.replace({"shop": app.image("shop", "def f():\n    return 2\nX = 2\n")})
    shop = app.load("shop")
    shop.X = "set at run time"
    app.swapper.overlay = app.overlay.images
    app.push({"shop": "def f():\n    return 3\nX = 2\n"})
    assert (shop.f(), shop.X) == (3, "set at run time")


def test_a_module_imported_before_the_overlay_was_there_is_brought_forward(start: Start) -> None:
    """The entry module is on the base at boot; staging the overlay that boot found moves it."""
    app = start({"shop": "def f():\n    return 1\n"})
    shop = app.load("shop")
    overlay: dict[str, ModuleImage | None] = {"shop": app.image("shop", "def f():\n    return 2\n")}
    app.swapper.overlay = overlay
    app.swapper.stage(overlay).commit()
    assert shop.f() == 2


def test_a_module_that_runs_as_main_is_left_alone(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs under another name than its own is not the app's module: a swap neither touches nor refuses it."""
    app = start({"shop": "def f():\n    return 1\n"})
    shop = app.load("shop")
    monkeypatch.setitem(sys.modules, "__main__", shop)
    monkeypatch.delitem(sys.modules, "shop")
    committed = app.push({"shop": "def f():\n    return 2\n"})
    assert shop.f() == 1
    assert committed.report.modules == {}


def test_a_module_in_the_middle_of_its_import(start: Start) -> None:
    """A module that is half imported is swapped as far as it is there, and its import then goes on."""
    app = start({"shop": "def f():\n    return 1\nimport sys\nsys.during()\ndef g():\n    return 1\n"})
    seen: list[Any] = []

    def during() -> None:
        del sys.during  # type: ignore[attr-defined]
        app.push({"shop": "def f():\n    return 2\nimport sys\nsys.during()\ndef g():\n    return 1\n"})
        seen.append(sys.modules["shop"].f())  # type: ignore[attr-defined]

    sys.during = during  # type: ignore[attr-defined]
    shop = app.load("shop")
    assert seen == [2]
    assert (shop.f(), shop.g()) == (2, 1)


def test_what_was_set_at_run_time_stays(start: Start) -> None:
    """A name or class attribute that the process set otherwise keeps that value while its statement does not change."""
    app = start({"shop": "A = 1\nB = 2\nclass C:\n    x = 1\n    def m(self):\n        return 1\n"})
    shop = app.load("shop")
    shop.A, shop.C.x = "mine", "mine"
    app.push({"shop": "A = 1\nB = 3\nclass C:\n    x = 1\n    def m(self):\n        return 2\n"})
    assert (shop.A, shop.B, shop.C.x, shop.C().m()) == ("mine", 3, "mine", 2)


def test_closures_made_before_and_after_the_plan(start: Start) -> None:
    """Living closures run the new inner function, those too that were made between plan and commit."""
    app = start({"shop": "def make(n):\n    def inner():\n        return ('old', n)\n    return inner\n"})
    shop = app.load("shop")
    early = [shop.make(i) for i in range(3)]
    staged = app.stage({"shop": "def make(n):\n    def inner():\n        return ('new', n)\n    return inner\n"})
    late = shop.make(9)
    staged.commit()
    assert [f() for f in (*early, late)] == [("new", 0), ("new", 1), ("new", 2), ("new", 9)]


def test_closures_lose_and_reorder_variables(start: Start) -> None:
    """A closure's cells are found by name, so fewer of them, or in another order, fit the new code."""
    app = start({"shop": "def make(a, b, c):\n    def inner():\n        return (a, b, c)\n    return inner\n"})
    inner = app.load("shop").make(1, 2, 3)
    committed = app.push({"shop": "def make(a, b, c):\n    def inner():\n        return (c, a)\n    return inner\n"})
    assert inner() == (3, 1)
    committed.undo()
    assert inner() == (1, 2, 3)


def test_a_closure_that_gains_a_variable(start: Start) -> None:
    """Where its maker's arguments can be told from the closure, it is made again; where not, the report names it."""
    app = start({
        "shop": """
            def known(n):
                def inner():
                    return n
                return inner
            def unknown(n, unused):
                def inner():
                    return n
                return inner
        """
    })  # fmt: skip
    shop = app.load("shop")
    known, unknown = shop.known(1), shop.unknown(1, 2)
    report = app.push({
        "shop": """
            def known(n):
                m = n * 10
                def inner():
                    return n + m
                return inner
            def unknown(n, unused):
                m = n * 10
                def inner():
                    return n + m
                return inner
        """
    }).report.of("shop")  # fmt: skip
    assert (known(), unknown()) == (11, 1)
    assert [line for line in report.stale if "unknown" in line]


def test_defaults_code_and_keyword_defaults_change_together(start: Start) -> None:
    """A changed signature reaches the function object that everyone holds, with all that belongs to it."""
    app = start({"shop": "def f(a, b=1, *, c=2):\n    '''Old.'''\n    return (a, b, c)\n"})
    held = app.load("shop").f
    committed = app.push(
        {"shop": "def f(a, b=10, x=11, *, c=20, d: int = 21):\n    '''New.'''\n    return (a, b, x, c, d)\n"}
    )
    assert held(0) == (0, 10, 11, 20, 21)
    assert (held.__doc__, held.__annotations__) == ("New.", {"d": int})
    committed.undo()
    assert held(0) == (0, 1, 2)
    assert (held.__doc__, held.__annotations__) == ("Old.", {})


def test_a_function_can_become_another_kind(start: Start) -> None:
    """A plain function becomes a generator or a coroutine function in place."""
    app = start({"shop": "def f():\n    return 1\ndef g():\n    return 1\n"})
    shop = app.load("shop")
    f, g = shop.f, shop.g
    app.push({"shop": "def f():\n    yield 1\nasync def g():\n    return 1\n"})
    assert list(f()) == [1]
    assert inspect.iscoroutinefunction(g)
    assert shop.g is g


@pytest.mark.parametrize("holder", ["list", "dict"])
def test_decorators_that_register(start: Start, holder: str) -> None:
    """A changed decorator's entry takes the old one's place; an unchanged one is not run; a removed one's goes."""
    empty, add = {"list": ("[]", "ALL.append((key, f))"), "dict": ("{}", "ALL[key] = f")}[holder]
    head = f"ALL = {empty}\ndef on(key):\n    def add(f):\n        {add}\n        return f\n    return add\n"

    def text(*routes: tuple[str, str]) -> str:
        return head + "".join(f"@on('{key}')\ndef {name}():\n    return '{key}'\n" for key, name in routes)

    app = start({"shop": text(("a", "fa"), ("b", "fb"), ("c", "fc"))})
    shop = app.load("shop")
    fb = shop.fb
    committed = app.push({"shop": text(("a", "fa"), ("x", "fb"), ("d", "fd"))})
    entries = shop.ALL if holder == "list" else list(shop.ALL.items())
    assert {key for key, _ in entries} == {"a", "x", "d"}
    assert dict(entries)["x"] is fb is shop.fb
    assert [key for key, _ in entries] == ["a", "x", "d"]
    committed.undo()
    assert [key for key, _ in (shop.ALL if holder == "list" else shop.ALL.items())] == ["a", "b", "c"]


def test_tracebacks_and_source_show_what_runs(start: Start) -> None:
    """After a swap the line cache, `inspect` and tracebacks show the new text; after an undo the old."""
    app = start({"shop": "def f():\n    return 1 / 0  # old\n"})
    shop = app.load("shop")
    committed = app.push({"shop": "\n\ndef f():\n    return 1 / 0  # new\n"})
    linecache.checkcache()

    def shown() -> str:
        try:
            shop.f()
        except ZeroDivisionError:
            return traceback.format_exc()
        return ""

    assert "line 4, in f" in shown()
    assert "# new" in shown()
    assert "# new" in inspect.getsource(shop.f)
    committed.undo()
    assert "line 2, in f" in shown()
    assert "# old" in shown()


def test_undo_twice_and_seal() -> None:
    """Undoing again does nothing; what was sealed cannot be undone any more and holds nothing."""
    from habanero_receiver.swap.report import SwapReport
    from habanero_receiver.swap.staged import CommittedSwap
    from habanero_receiver.swap.undo import UndoLog

    done: list[int] = []
    log = UndoLog()
    log.note((done.append, 1))
    committed = CommittedSwap(SwapReport(), log, threading.Lock())
    committed.undo()
    committed.undo()
    assert done == [1]
    log.note((done.append, 2))
    sealed = CommittedSwap(SwapReport(), log, threading.Lock())
    sealed.seal()
    sealed.undo()
    assert done == [1]


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("class C:\n    __slots__ = ('a',)\n", "class C:\n    __slots__ = ('a', 'b')\n", "slots"),
        ("class A: ...\nclass C: ...\n", "class A: ...\nclass C(A): ...\n", "no bases"),
        ("class C: ...\n", "import abc\nclass C(metaclass=abc.ABCMeta): ...\n", "metaclass"),
        ("X = boom\n", "X = 1\n", ""),
        ("X = 1\n", "X = 1 / 0\n", "ZeroDivisionError"),
        ("X = 1\n", "import nowhere_at_all\n", "ModuleNotFoundError"),
    ],
)
def test_refusals_say_why_and_change_nothing(start: Start, before: str, after: str, reason: str) -> None:
    """What a live process cannot take is refused while staging, with unit, line, reason and what to do."""
    app = start({"shop": before.replace("boom", "0")})
    app.load("shop")
    picture = app.picture()
    if not reason:
        app.push({"shop": after}).undo()
        assert app.picture() == picture
        return
    with pytest.raises(SwapRefusedError, match=reason) as caught:
        app.stage({"shop": after})
    ((module, refusal),) = caught.value.refusals
    assert module == "shop"
    assert refusal.help
    assert refusal.line >= 1
    assert app.picture() == picture


def test_a_module_of_unknown_origin_is_refused(start: Start) -> None:
    """A live module that neither base nor importer knows cannot be compared with what it should be."""
    app = start({"shop": "X = 1\n"})
    app.load("shop")
    strange = Swapper(lambda _: None, {"shop"})
    with pytest.raises(SwapRefusedError, match="is not known"):
        strange.stage({"shop": app.image("shop", "X = 2\n")})


def test_a_module_cannot_become_a_package(start: Start) -> None:
    """It would have to change its path under whoever imports from it."""
    app = start({"shop": "X = 1\n"})
    app.load("shop")
    with pytest.raises(SwapRefusedError, match="package"):
        app.stage({"shop/": "X = 1\n"})


def test_modules_of_others_are_never_touched(start: Start) -> None:
    """An overlay with a module that is not the app's leaves the live one alone."""
    app = start({"shop": "X = 1\n"})
    app.load("shop")
    image = image_from_source("json", True, "/nowhere/json/__init__.py", "json/__init__.py", b"broken = True\n")
    app.swapper.stage({"json": image}).commit()
    import json

    assert not hasattr(json, "broken")

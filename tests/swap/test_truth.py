"""What tracebacks, `inspect`, warnings and logs show: of every frame the text that it runs, of whichever version."""

from __future__ import annotations

import asyncio
import gc
import inspect
import linecache
import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from living import LiveApp

from habanero_receiver.swap import SwapFailedError, SwapRefusedError

Start = Callable[[dict[str, str]], LiveApp]


def version(n: int, shift: int = 0) -> str:
    """A module whose every line says which version it is of, moved down by ``shift`` lines."""
    return "\n" * shift + (
        f"def steps():\n"
        f"    while True:  # {n}\n"
        f"        yield {n}  # {n}\n"
        f"def make():\n"
        f"    x = {n}  # {n}\n"
        f"    def inner():\n"
        f"        yield x  # {n}\n"
        f"        yield lambda: 1 / 0  # {n}\n"
        f"    return inner\n"
    )


def shown(frame: FrameType | None) -> str:
    """The line of source that a traceback shows for a frame, as traceback itself finds it."""
    assert frame is not None
    (summary,) = traceback.StackSummary.extract([(frame, frame.f_lineno)])
    return str(summary.line)


def old_names(app: LiveApp) -> set[str]:
    """The names in the line cache of versions that are not current."""
    gc.collect()
    return {name for name in linecache.cache if name.startswith(str(app.root)) and "@" in name}


@pytest.fixture
def live(start: Start) -> tuple[LiveApp, Any]:
    app = start({"shop": version(0)})
    return app, app.load("shop")


def test_frames_of_many_versions_show_their_own_text(live: tuple[LiveApp, Any]) -> None:
    """A generator suspended across several swaps shows the line of the version that it runs; new code its true file."""
    app, shop = live
    running = []
    for n in range(4):
        if n:
            app.push({"shop": version(n, shift=n * 3)}).seal()
        running.append((shop.steps(), next(g := shop.make()()), g))
        next(running[-1][0])
    for n, (steps, _, nested) in enumerate(running):
        assert shown(steps.gi_frame).endswith(f"# {n}"), n
        assert shown(nested.gi_frame).endswith(f"# {n}"), n
    assert running[3][0].gi_code.co_filename == shop.__file__
    assert {g.gi_code.co_filename for g, _, _ in running[:3]} == old_names(app)
    assert "# 1" in inspect.getsource(running[1][0].gi_code)


def test_nothing_is_kept_when_old_frames_have_ended(live: tuple[LiveApp, Any]) -> None:
    """The text of a version is forgotten with its last code, one that only nested code is left of last."""
    app, shop = live
    steps, nested = shop.steps(), shop.make()()
    next(steps)
    next(nested)
    app.push({"shop": version(1, shift=2)}).seal()
    assert len(old_names(app)) == 1
    del steps
    assert len(old_names(app)) == 1
    assert shown(nested.gi_frame).endswith("# 0")
    del nested
    assert old_names(app) == set()


def test_tracebacks_out_of_old_code(live: tuple[LiveApp, Any]) -> None:
    """An exception out of a lambda that an old generator made shows the old line, under the name of its version."""
    app, shop = live
    nested = shop.make()()
    next(nested)
    app.push({"shop": version(1, shift=5)}).seal()
    failing = next(nested)
    with pytest.raises(ZeroDivisionError) as caught:
        failing()
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert str(frame.line).endswith("# 0")
    assert frame.filename.startswith(f"{shop.__file__}@")
    assert frame.lineno == 8


def test_undo_and_rollback_give_the_true_name_back(live: tuple[LiveApp, Any]) -> None:
    """After an undo the old code is current; what began in between shows the text taken back. A rollback likewise."""
    app, shop = live
    old = shop.steps()
    next(old)
    committed = app.push({"shop": version(1, shift=3)})
    between = shop.steps()
    next(between)
    committed.undo()
    assert old.gi_code.co_filename == shop.__file__
    assert shown(old.gi_frame).endswith("# 0")
    assert shown(between.gi_frame).endswith("# 1")
    app.push({"shop": version(2)}).seal()
    app.push({"shop": version(0)}).seal()
    assert shown(old.gi_frame).endswith("# 0")
    assert shown(between.gi_frame).endswith("# 1")
    fresh = shop.steps()
    next(fresh)
    assert fresh.gi_code.co_filename == shop.__file__


def test_a_failed_commit_leaves_names_as_they_were(live: tuple[LiveApp, Any]) -> None:
    """When a statement of the commit raises, its traceback shows the text that raised, and nothing else is renamed."""
    app, shop = live
    names = {f.__code__.co_filename for f in (shop.steps, shop.make)}
    with pytest.raises(SwapFailedError) as caught:
        app.push({"shop": version(1) + "def fail():\n    print(1 / 0)  # why\nfail()\n"})
    cause = caught.value.__cause__
    assert cause is not None
    assert "# why" in "".join(traceback.format_exception(cause))
    assert {f.__code__.co_filename for f in (shop.steps, shop.make)} == names == {shop.__file__}


def test_a_plan_that_is_dropped_leaves_nothing(live: tuple[LiveApp, Any]) -> None:
    """The text of a version that was staged only, or refused, goes with the plan."""
    app, _ = live
    staged = app.stage({"shop": version(1)})
    assert len(old_names(app)) == 1
    del staged
    assert old_names(app) == set()
    with pytest.raises(SwapRefusedError):
        app.stage({"shop": "X = 1 / 0\n"})
    assert old_names(app) == set()


def test_code_that_is_current_keeps_its_true_name(start: Start) -> None:
    """What a swap leaves in place has the true file name, inside of changed functions too; so has all new code."""
    nested = "    def inner():\n        return 1\n    return inner\n"
    text = "def outer():\n    a = {n}\n" + nested + "def same():\n    return 1\n"
    app = start({"shop": text.format(n=0)})
    shop = app.load("shop")
    inner = shop.outer()
    for n in range(1, 4):
        committed = app.push({"shop": text.format(n=n)})
        functions = [inner, shop.outer, shop.same, shop.outer()]
        assert {code.co_filename for f in functions for code in _tree(f.__code__)} == {shop.__file__}
        if n == 2:
            committed.undo()
            assert {code.co_filename for f in functions for code in _tree(f.__code__)} == {shop.__file__}


def _tree(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _tree(inner)


def test_a_closure_that_stays_on_old_code(start: Start) -> None:
    """A closure that could not be given the new code shows the old text, and is found again by a later swap."""
    old = "def make(n, unused):\n    def inner():\n        return n  # old\n    return inner\n"
    app = start({"shop": old})
    inner = app.load("shop").make(1, 2)
    new = "def make(n, unused):\n    m = n\n    def inner():\n        return n + m  # new\n    return inner\n"
    app.push({"shop": new}).seal()
    assert "# old" in inspect.getsource(inner)
    app.push({"shop": old}).seal()
    app.push({"shop": old.replace("# old", "# older").replace("return n", "return n * 5")}).seal()
    assert inner() == 5
    assert "# older" in inspect.getsource(inner)


def test_code_that_is_gone(start: Start) -> None:
    """What runs of a removed function, or of a deleted module, shows the text it had, also when the name comes back."""
    loop = "def loop():\n    while True:\n        yield 1  # {n}\n"
    app = start({"shop": loop.format(n=0) + "X = 1\n", "more": loop.format(n=0)})
    removed, deleted = app.load("shop").loop(), app.load("more").loop()
    next(removed)
    next(deleted)
    app.push({"shop": "X = 1\n", "more": None}).seal()
    assert shown(removed.gi_frame).endswith("# 0")
    app.push({"shop": "\n\n" + loop.format(n=1), "more": "\n\n" + loop.format(n=1)}).seal()
    app.load("more")
    assert shown(removed.gi_frame).endswith("# 0")
    assert shown(deleted.gi_frame).endswith("# 0")


def test_a_loop_that_never_returns(start: Start) -> None:
    """An asyncio task in ``while True`` shows where it waits, in its own text."""
    text = "import asyncio\n{pad}async def loop(wait):\n    while True:\n        await wait()  # {n}\n"
    app = start({"shop": text.format(pad="", n=0)})
    shop = app.load("shop")

    async def main() -> list[str]:
        gate = asyncio.Event()
        task = asyncio.create_task(shop.loop(gate.wait))
        await asyncio.sleep(0)
        app.push({"shop": text.format(pad="\n\n\n", n=1)}).seal()
        lines = [shown(frame) for frame in task.get_stack()]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return lines

    assert asyncio.run(main()) == ["await wait()  # 0"]


def test_a_thread_inside_an_old_function(start: Start) -> None:
    """A thread's stack, what it logs and what it warns of name the text that it runs."""
    text = (
        "import logging\nimport warnings\n{pad}def work(go):\n    go()  # {n}\n"
        "    logging.getLogger('shop').error('x')  # {n}\n    warnings.warn('y')  # {n}\n"
    )
    app = start({"shop": text.format(pad="", n=0)})
    shop = app.load("shop")
    inside, swapped = threading.Event(), threading.Event()
    logged: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = logged.append  # type: ignore[method-assign]  # the least that a handler can be

    def go() -> None:
        inside.set()
        assert swapped.wait(10)

    thread = threading.Thread(target=shop.work, args=(go,))
    logging.getLogger("shop").addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            thread.start()
            assert inside.wait(10)
            app.push({"shop": text.format(pad="\n\n", n=1)}).seal()
            stack = traceback.extract_stack(sys._current_frames()[thread.ident or 0])
            lines = [frame.line for frame in stack if frame.name == "work"]
            swapped.set()
            thread.join()
            places = [(logged[0].pathname, logged[0].lineno), (warned[0].filename, warned[0].lineno)]
            assert logged[0].module == "shop"
            assert lines == ["go()  # 0"]
            assert [linecache.getline(*place).rstrip()[-3:] for place in places] == ["# 0", "# 0"]
    finally:
        swapped.set()
        thread.join()
        logging.getLogger("shop").removeHandler(handler)


def test_the_statement_that_an_import_is_in(start: Start) -> None:
    """A module that runs for ever in a statement of its own shows that statement, whatever the file says since."""
    app = start({"shop": "import sys\ndef f():\n    return 1\nsys.during()  # old\n"})
    seen: list[str] = []

    def during() -> None:
        app.push({"shop": "import sys\n\n\n\ndef f():\n    return 2\nsys.during()  # new\n"}).seal()
        seen.append(shown(sys._getframe(1)))

    sys.during = during  # type: ignore[attr-defined]
    try:
        app.load("shop")
    finally:
        del sys.during  # type: ignore[attr-defined]
    assert seen == ["sys.during()  # old"]


def test_code_that_a_tool_rewrote(start: Start) -> None:
    """Bytecode that a tool changed on import keeps its name while its function is unchanged, and loses it with it."""
    text = "def same():\n    yield 1  # 0\ndef other():\n    yield {n}  # {n}\n"
    app = start({"shop": text.format(n=0)})
    shop = app.load("shop")
    for function in (shop.same, shop.other):
        assert isinstance(function, FunctionType)
        function.__code__ = function.__code__.replace(co_stacksize=function.__code__.co_stacksize + 3, co_name="odd")
    old = shop.other()
    next(old)
    app.push({"shop": text.format(n=1)}).seal()
    assert shop.same.__code__.co_filename == shop.__file__
    assert shown(old.gi_frame).endswith("# 0")


def test_the_loader_gives_the_source_that_runs(start: Start) -> None:
    """What asks a module's loader for the source, as error trackers do, gets the running version's; undone, the old."""
    app = start({"shop": version(0)})
    shop = app.load("shop")
    loader = shop.__loader__
    committed = app.push({"shop": version(1)})
    assert shop.__spec__.loader.get_source("shop") == shop.__loader__.get_source("shop") == version(1)
    committed.undo()
    assert shop.__spec__.loader is shop.__loader__ is loader


def test_a_loader_of_another_kind_stays(start: Start) -> None:
    """A loader that is not Python's own for source files is left to whoever put it there."""
    app = start({"shop": version(0)})
    shop = app.load("shop")
    shop.__spec__.loader = shop.__loader__ = other = object()
    app.push({"shop": version(1)}).seal()
    assert shop.__spec__.loader is shop.__loader__ is other

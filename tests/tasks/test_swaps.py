"""Loops of a live app whose modules are swapped for real: the engine on one side, the supervisor on the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from living import LiveApp
from supervised import DEADLINE_S

from habanero_receiver import Receiver
from habanero_receiver.swap import SwapFailedError

TICKER = """
    import threading
    from habanero_receiver import Receiver

    receiver = Receiver.from_env()
    news = threading.Condition()
    said = []


    def say(word):
        with news:
            said.append(word)
            news.notify_all()


    class Count:
        n = 0


    @receiver.task(state=Count())
    def ticker(count, stop):
        count.n += 1
        say(f"one {count.n}")
        stop.wait()


    def late(stop):
        say("late")
        stop.wait()
        say("late ends")
"""


class Ticking:
    """The app, with pushes as a receiver makes them: nothing is looked at before the end of a swap."""

    def __init__(self, root: Path, receiver: Receiver) -> None:
        self.live = LiveApp(root, {"ticking": TICKER})
        self.receiver = receiver
        self.swapping = False
        receiver._in_swap = lambda: self.swapping  # type: ignore[method-assign]
        self.module = self.live.load("ticking")
        receiver.start()

    @contextmanager
    def swap(self) -> Iterator[None]:
        self.swapping = True
        try:
            yield
        finally:
            self.swapping = False
            self.receiver._after_swap()

    def push(self, *edits: tuple[str, str]) -> None:
        text = TICKER
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        with self.swap():
            self.live.push({"ticking": text}).seal()

    def until(self, true: Callable[[list[str]], bool]) -> list[str]:
        with self.module.news:
            assert self.module.news.wait_for(lambda: true(self.module.said), DEADLINE_S), self.module.said
            return list(self.module.said)


@pytest.fixture
def ticking(tmp_path: Path, receiver: Receiver) -> Iterator[Ticking]:
    app = Ticking(tmp_path, receiver)
    app.until(lambda said: said == ["one 1"])
    yield app
    receiver.stop()
    app.live.close()


def test_a_changed_body_begins_again_with_its_state(ticking: Ticking) -> None:
    """The body of a decorated loop is swapped inside its handle, which stays what every import has."""
    handle = ticking.module.ticker
    ticking.push(('f"one {', 'f"two {'))
    assert ticking.until(lambda said: len(said) == 2) == ["one 1", "two 2"]
    assert ticking.module.ticker is handle and handle.phase == "running"


def test_another_edit_of_the_module_leaves_it_alone(ticking: Ticking) -> None:
    """A comment, a shift of lines, another function: the run goes on, and its lines are right all the same."""
    run = ticking.receiver._supervisor._loops[ticking.module.ticker.name].run  # type: ignore[union-attr]
    ticking.push(("    news =", "    # shifted\n\n    news ="), ('say("late")', 'say("later")'))
    assert ticking.receiver._supervisor._loops[ticking.module.ticker.name].run is run  # type: ignore[union-attr]
    assert ticking.module.said == ["one 1"]


def test_a_changed_decorator_keeps_state_and_handle(ticking: Ticking) -> None:
    """The statement runs again, with a new state object that nobody wants: the loop's life goes on."""
    handle, state = ticking.module.ticker, ticking.module.ticker.state
    ticking.push(("state=Count()", "state=Count(), name='ticking.ticker'"), ('f"one {', 'f"two {'))
    assert ticking.until(lambda said: len(said) == 2) == ["one 1", "two 2"]
    assert (ticking.module.ticker is handle, handle.state is state) == (True, True)


def test_a_new_loop_begins_and_one_that_is_gone_ends(ticking: Ticking) -> None:
    """With the swap that brings or takes the decorator or the function; the rest runs on."""
    edit = ("    def late(stop)", "    @receiver.task\n    def late(stop)")
    ticking.push(edit)
    ticking.until(lambda said: said == ["one 1", "late"])
    ticking.push()
    ticking.until(lambda said: said[-1] == "late ends")
    assert list(ticking.receiver._declared) == ["ticking.ticker"]
    ticking.push(edit)
    ticking.until(lambda said: said[-1] == "late")
    gone = TICKER[: TICKER.index("    def late")]
    with ticking.swap():
        ticking.live.push({"ticking": gone})
    ticking.until(lambda said: said[-1] == "late ends")
    assert ticking.module.ticker.phase == "running" and "one 2" not in ticking.module.said


def test_a_loop_that_was_given_by_call_ends_with_its_function(ticking: Ticking) -> None:
    """Without a decorator nothing speaks of the end but that the function's name is gone."""
    with ticking.swap():
        ticking.live.push({"ticking": TICKER + "\n    receiver.task(late)\n"})
    ticking.until(lambda said: said[-1] == "late")
    with ticking.swap():
        ticking.live.push({"ticking": TICKER[: TICKER.index("    def late")]})
    ticking.until(lambda said: said[-1] == "late ends")


def test_a_swap_that_is_taken_back_neither_begins_nor_ends_a_loop(ticking: Ticking) -> None:
    """A new loop of a release that failed never ran; a living one goes on, whatever was declared meanwhile."""
    text = TICKER.replace("    def late(stop)", "    @receiver.task\n    def late(stop)")
    text = text.replace("state=Count()", "state=Count(), name='ticking.ticker'").replace('f"one {', 'f"two {')
    with pytest.raises(SwapFailedError), ticking.swap():
        ticking.live.push({"ticking": text + "\n    receiver.task(5)\n"})
    assert list(ticking.receiver._declared) == ["ticking.ticker"]
    with ticking.swap():
        ticking.live.push({"ticking": text}).undo()
    assert list(ticking.receiver._declared) == ["ticking.ticker"]
    ticking.push(('f"one {', 'f"three {'))
    assert ticking.until(lambda said: len(said) == 2) == ["one 1", "three 2"]


def test_a_rollback_begins_the_old_code_again(ticking: Ticking) -> None:
    """A swap like any other."""
    ticking.push(('f"one {', 'f"two {'))
    ticking.until(lambda said: said[-1] == "two 2")
    ticking.push()
    assert ticking.until(lambda said: len(said) == 3)[-1] == "one 3"

"""What the app makes between the plan of a swap and its commit is found, however old it has grown by then."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial

import pytest
from living import LiveApp

from habanero_receiver.swap.finding.heap import Newborn, youngest_functions, youngest_instances

Start = Callable[[dict[str, str]], LiveApp]

BEFORE = """
class Player:
    def __init__(self):
        self.name = "Ana"


def make():
    def inner():
        return "old"
    return inner
"""
AFTER = """
class Player:
    def __init__(self):
        self.first = "Ana"

    def __code_change__(self, old=None):
        self.first = old["name"]


def make():
    def inner():
        return "new"
    return inner
"""


class Made:
    """What is looked for."""


@pytest.mark.parametrize("grow_old", [lambda: None, partial(gc.collect, 0), partial(gc.collect, 1), gc.collect])
def test_what_is_made_after_the_plan_follows(start: Start, grow_old: Callable[[], object]) -> None:
    """Closures and instances made after staging run the new code and are migrated, also after collections."""
    app = start({"shop": BEFORE})
    shop = app.load("shop")
    staged = app.stage({"shop": AFTER})
    made = [(shop.make(), shop.Player()) for _ in range(3)]
    grow_old()
    made.append((shop.make(), shop.Player()))
    grow_old()
    staged.commit()
    assert [inner() for inner, _ in made] == ["new"] * 4
    assert [player.first for _, player in made] == ["Ana"] * 4


def test_what_the_app_froze_is_found(start: Start) -> None:
    """A heap that is frozen between plan and commit hides nothing."""
    app = start({"shop": BEFORE})
    shop = app.load("shop")
    staged = app.stage({"shop": AFTER})
    inner, player = shop.make(), shop.Player()
    gc.freeze()
    try:
        staged.commit()
    finally:
        gc.unfreeze()
    assert inner() == "new"
    assert player.first == "Ana"


def test_a_plan_that_is_dropped_leaves_no_callback() -> None:
    """The collector is watched as long as the plan lives, and no longer."""
    gc.collect()  # plans of other tests
    before = list(gc.callbacks)
    watches = [Newborn(partial(youngest_functions, frozenset({"x"}))), Newborn(partial(youngest_instances, [Made]))]
    assert len(gc.callbacks) == len(before) + 2
    made = Made()
    gc.collect()
    assert watches[1].found() == [made]
    watches.clear()
    assert gc.callbacks == before

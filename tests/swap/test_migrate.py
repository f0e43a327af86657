"""`__code_change__`: how live state moves to new code, once, inside the commit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from living import LiveApp

from habanero_receiver.swap import SwapFailedError

Start = Callable[[dict[str, str]], LiveApp]
BEFORE = """
    USERS = {"ann": 30}
    class Player:
        def __init__(self, name):
            self.name = name
    class Slotted:
        __slots__ = ("a", "__b")
        def __init__(self):
            self.a = 1
    ONE, TWO = Player("Ann Lee"), Slotted()
"""
AFTER = """
    USERS = {"ann": 30}
    class Player:
        def __init__(self, first):
            self.first = first
        def __code_change__(self, old=None):
            self.first = old["name"].split()[0]
            self.times = getattr(self, "times", 0) + 1
            del self.name
            CALLS.append(self)
    class Slotted:
        __slots__ = ("a", "__b")
        def __init__(self):
            self.a = 1
        def __code_change__(self, old=None):
            self.a = self.a + 1
            self.__b = 5
    ONE, TWO = Player("Ann Lee"), Slotted()
    CALLS = []
    def __code_change__(old):
        for name, age in old["USERS"].items():
            USERS[name] = {"age": age}
"""


def test_hooks_run_once_on_every_instance_and_module(start: Start) -> None:
    """Each living instance is migrated once, wherever it is held, after everything else; undone, nothing was."""
    app = start({"shop": BEFORE})
    shop = app.load("shop")
    hidden = {"deep": [(shop.Player("Bob Ray"),)]}
    shop.Player("nobody")
    picture = app.picture(hidden)
    app.push({"shop": AFTER}).undo()
    assert app.picture(hidden) == picture
    assert not hasattr(shop.TWO, "_Slotted__b")
    report = app.push({"shop": AFTER}).report.of("shop")
    bob = hidden["deep"][0][0]
    assert (bob.first, bob.times, shop.ONE.first, shop.ONE.times) == ("Bob", 1, "Ann", 1)
    assert not hasattr(bob, "name")
    assert (shop.TWO.a, shop.TWO._Slotted__b) == (2, 5)
    assert shop.USERS == {"ann": {"age": 30}}
    assert "module" in report.migrated
    assert "Player: 2 instances" in report.migrated


def test_a_hook_that_stays_does_not_run_again(start: Start) -> None:
    """In the next release the same hook has done its work; a changed one runs again."""
    app = start({"shop": BEFORE})
    shop = app.load("shop")
    app.push({"shop": AFTER})
    app.push({"shop": AFTER + "    X = 1\n"})
    assert (shop.ONE.times, shop.USERS) == (1, {"ann": {"age": 30}})
    again = AFTER.replace('{"age": age}', '{**age, "new": True}').replace('old["name"]', '(self.first + " x")')
    app.push({"shop": again.replace("            del self.name\n", "")})
    assert shop.ONE.times == 2
    assert shop.USERS["ann"] == {"age": 30, "new": True}


def test_instances_made_between_plan_and_commit_are_migrated(start: Start) -> None:
    """The plan's search is completed in the commit."""
    app = start({"shop": BEFORE})
    shop = app.load("shop")
    staged = app.stage({"shop": AFTER})
    late = shop.Player("Late One")
    staged.commit()
    assert (late.first, late.times) == ("Late", 1)


@pytest.mark.parametrize("error", ["KeyError(1)", "SystemExit(1)"])
def test_a_hook_that_raises_leaves_everything_as_it_was(start: Start, error: str) -> None:
    """Also what it had done to instances, their containers, and module state by then."""
    app = start({"shop": BEFORE})
    shop = app.load("shop")
    shop.ONE.items = [1]
    more = shop.Player("Bob Ray")
    more.items = shop.ONE.items
    picture = app.picture(more)
    bad = AFTER.replace(
        "            CALLS.append(self)",
        f"            self.items.append(2)\n            if len(self.items) > 2: raise {error}",
    )
    with pytest.raises(SwapFailedError):
        app.push({"shop": bad})
    assert app.picture(more) == picture
    assert shop.ONE.items == [1]
    with pytest.raises(SwapFailedError):
        app.push({"shop": AFTER + f"        raise {error}\n"})
    assert app.picture(more) == picture


def test_staging_tells_how_many_would_be_migrated(start: Start) -> None:
    """A dry run counts the instances and touches none."""
    app = start({"shop": BEFORE})
    shop = app.load("shop")
    players = [shop.Player("A B") for _ in range(5)]
    report = app.stage({"shop": AFTER}).report.of("shop")
    assert "Player: 6 instances" in report.migrated
    assert all(vars(p) == {"name": "A B"} for p in players)

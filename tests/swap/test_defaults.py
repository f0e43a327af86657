"""Defaults read values when a ``def`` or class is made: what was made with them is named when those values change."""

from __future__ import annotations

from collections.abc import Callable

from living import LiveApp

from habanero_receiver.swap import CommittedSwap

Start = Callable[[dict[str, str]], LiveApp]

MAKERS = """
from dataclasses import dataclass
from shop.conf import TAX, LEVELS

@dataclass
class Settings:
    tax: int = TAX

class Till:
    def __init__(self, tax=TAX):
        self.tax = tax

def make(tax=TAX):
    return [tax]

def taxed(tax=TAX):
    def decorate(function):
        def wrapper():
            return function() + tax
        return wrapper
    return decorate

def levelled(function):
    levels = list(LEVELS)
    def wrapper():
        return function(), levels
    return wrapper

def checked(function):
    def wrapper():
        return function(), LEVELS
    return wrapper
"""
MADE = """
from shop.makers import Settings, Till, make, taxed, levelled, checked
settings = Settings()
till = Till()
made = make()
told = make(7)
named = make(tax=8)
@taxed()
def price():
    return 1
@taxed(9)
def other():
    return 1
@levelled
def level():
    return 1
@checked
def check():
    return 1
class Shop:
    @taxed()
    def open(self):
        return 1
"""


def _stale(committed: CommittedSwap) -> dict[str, str]:
    split = (entry.removesuffix(")").partition(" (") for entry in committed.report.of("shop.made").stale)
    return {name: why for name, _, why in split}


def test_what_was_made_with_a_default_that_changed_is_named(start: Start) -> None:
    """Objects and wrappers are kept and named, through modules that only import the value; none that was told another.

    What reads the value when it is called follows by itself and is not named.
    """
    conf = "TAX = 2\nLEVELS = ('a',)\n"
    app = start({"shop/": "", "shop.conf": conf, "shop.makers": MAKERS, "shop.made": MADE})
    made = app.load("shop.made")
    for tax in (3, 4):
        committed = app.push({"shop.conf": conf.replace("2", str(tax))})
        why = "it reads TAX, which changed"
        names = ("settings =", "till =", "made =", "def price", "Shop.def open")
        assert _stale(committed) == dict.fromkeys(names, why)
        assert made.make() == [tax] and made.Settings().tax == tax, "what is made now is made with the new value"
        assert (made.settings.tax, made.price()) == (2, 3)
    committed = app.push({"shop.conf": conf.replace("2", "4").replace("'a'", "'b'")})
    assert _stale(committed) == {"def level": "it reads LEVELS, which changed"}
    assert made.check() == (1, ("b",))


def test_a_constant_of_another_form_and_the_same_value_makes_nothing_stale(start: Start) -> None:
    """What counts is what the name is bound to, not how that is written."""
    app = start({"shop/": "", "shop.conf": "TAX = 2\nLEVELS = ()\n", "shop.makers": MAKERS, "shop.made": MADE})
    app.load("shop.made")
    assert _stale(app.push({"shop.conf": "TAX = 1 + 1\nLEVELS = ()\n"})) == {}

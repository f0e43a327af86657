"""What a live module runs, told from the module itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from living import LiveApp

from habanero_receiver.swap.witness import Finding, Version, compare

OLD = """
import functools
RATE = 2
CALLS = []
count = 0

def price(amount):
    def inner():
        return amount * RATE
    return inner()

@functools.lru_cache
def cached(amount):
    return amount

def bump():
    global count
    count += 1

class Cart:
    size = 3
    def total(self):
        return 1
    @property
    def first(self):
        return 0
    @staticmethod
    def make():
        return Cart()
"""
NEW = OLD.replace("amount * RATE", "amount * RATE + 1").replace("return 1", "return 2").replace("RATE = 2", "RATE = 3")


@pytest.fixture
def app(tmp_path: Path):
    app = LiveApp(tmp_path, {"shop_seen": OLD})
    yield app
    app.close()


def found(app: LiveApp, text: str) -> Finding:
    """The finding; told by the image and by the source alone it is the same."""
    module, own = sys.modules["shop_seen"], frozenset({"shop_seen"})
    image = app.image("shop_seen", text)
    finding = compare(module, Version.of_image(image), own)
    assert compare(module, Version.of_source(image.source), own) == finding
    return finding


def test_a_module_is_the_version_that_it_was_imported_from(app) -> None:
    """Everything that can be judged is compared, and agrees; what the app counts itself is not judged."""
    module = app.load("shop_seen")
    module.bump()
    module.CALLS.append(1)
    finding = found(app, OLD)
    assert finding.deviating == ()
    assert finding.functions >= 6
    assert finding.constants == 1


def test_a_swapped_module_is_the_new_version_and_not_the_old(app) -> None:
    """After a swap, and again after its undo."""
    app.load("shop_seen")
    swap = app.push({"shop_seen": NEW})
    assert found(app, NEW).deviating == ()
    deviating = " ".join(found(app, OLD).deviating)
    assert "price" in deviating
    assert "Cart.total" in deviating
    assert "RATE" in deviating
    swap.undo()
    assert found(app, OLD).deviating == ()


def test_whoever_changes_a_live_function_is_seen(app) -> None:
    """Another code object in the function, another function under the name, another constant, a method gone."""
    module = app.load("shop_seen")
    module.Cart.total.__code__ = (lambda self: 5).__code__
    module.price = len
    module.RATE = True
    del module.Cart.make
    assert found(app, OLD).deviating == (
        "Cart.total: not found",
        "RATE: not the constant of this version",
        "price: not found",
    )


def test_what_wraps_a_function_of_the_version_still_leads_to_it(app) -> None:
    """A tracer around a function is not other code."""
    import functools

    module = app.load("shop_seen")
    inner = module.price
    module.price = functools.wraps(inner)(lambda *words: inner(*words))
    assert found(app, OLD).deviating == ()

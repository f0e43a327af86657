"""What was computed from attributes of a class follows them, though the class stays the same object."""

from __future__ import annotations

from collections.abc import Callable

from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]

CONF = """
import enum
from dataclasses import dataclass
class Settings:
    timeout = 5
    class Retry:
        times = 1
    total = Retry.times * 10
class Level(enum.Enum):
    LOW = 1
    HIGH = 9
@dataclass
class Limits:
    size: int = 1
settings, limits = Settings(), Limits()
"""
USES = """
import functools
from shop.conf import Level, Settings, limits, settings
TIMEOUT = settings.timeout * 2
TIMES = Settings.Retry.times + Settings.total
RANK = Level.LOW.value + 1
STATE = [settings.timeout]
SIZE = limits.size
def scaled():
    return settings.timeout * 100
SCALED = scaled()
@functools.cache
def remembered():
    return Settings.timeout
"""
NEW = CONF.replace("timeout = 5", "timeout = 7").replace("times = 1", "times = 2").replace("LOW = 1", "LOW = 3")


def test_constants_and_caches_follow_and_live_objects_are_named(start: Start) -> None:
    """Read through a class, an instance, a class inside, an enum member or a function; back again when undone."""
    app = start({"shop/": "", "shop.conf": CONF, "shop.uses": USES})
    uses = app.load("shop.uses")
    assert uses.remembered() == 5
    picture = app.picture()
    committed = app.push({"shop.conf": NEW})
    assert (uses.TIMEOUT, uses.TIMES, uses.RANK, uses.SCALED, uses.remembered()) == (14, 22, 4, 700, 7)
    assert uses.STATE == [5]
    assert committed.report.of("shop.uses").stale == ["STATE = (it reads timeout, which changed)"]
    committed.undo()
    assert (uses.TIMEOUT, uses.TIMES, uses.RANK, uses.SCALED, uses.remembered()) == (10, 11, 2, 500, 5)
    assert app.picture() == picture


def test_what_the_process_set_stays(start: Start) -> None:
    """A constant that was set otherwise since, and an attribute that an instance has for itself, are state."""
    app = start({"shop/": "", "shop.conf": CONF, "shop.uses": USES})
    uses, conf = app.load("shop.uses"), app.load("shop.conf")
    uses.TIMEOUT = 99
    conf.settings.timeout = 50
    app.push({"shop.conf": NEW})
    assert (uses.TIMEOUT, uses.SCALED, uses.TIMES) == (99, 500, 22)


def test_instances_that_were_made_with_other_fields_are_named(start: Start) -> None:
    """A default of a dataclass is in its instances: they are kept as they were made, and the report says which."""
    app = start({"shop/": "", "shop.conf": CONF, "shop.uses": USES})
    uses, conf = app.load("shop.uses"), app.load("shop.conf")
    committed = app.push({"shop.conf": CONF.replace("size: int = 1", "size: int = 2")})
    assert (uses.SIZE, conf.limits.size, conf.Limits().size) == (1, 1, 2)
    assert committed.report.of("shop.conf").stale == ["settings, limits = (it calls Limits, which changed)"]


def test_reading_an_attribute_runs_no_method(start: Start) -> None:
    """A statement that calls a method of an instance is not evaluated to see what it would give."""
    text = """
        class Shop:
            rate = 1
            def __init__(self):
                self.sold = []
            def sell(self):
                self.sold.append(1)
                return len(self.sold)
        shop = Shop()
        FIRST = shop.sell() * shop.rate
    """
    app = start({"shop": text})
    module = app.load("shop")
    committed = app.push({"shop": text.replace("rate = 1", "rate = 2")})
    assert (module.shop.sold, module.FIRST) == ([1], 1)
    assert committed.report.of("shop").stale == ["FIRST = (it reads shop.rate, which changed)"]

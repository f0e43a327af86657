"""What a decorator whose own code changed registered with an object is named: it is not asked again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]

DIRECT = """
from xmlrpc.server import SimpleXMLRPCDispatcher
import logging
log = logging.getLogger("left")
SERVER = SimpleXMLRPCDispatcher()
OTHER = SimpleXMLRPCDispatcher()
def exposed(function):
    log.debug("exposed %s", function)
    SERVER.register_function(function, "v1." + function.__name__)
    return function
@exposed
def show():
    return 1
def plain():
    return SERVER
"""
CALLED = (
    DIRECT.replace("def exposed(function):", "def exposed(prefix):\n  def take(function):")
    .replace("    return function\n", "    return function\n  return take\n")
    .replace("@exposed\n", "@exposed('x')\n")
)


@pytest.mark.parametrize("source", [DIRECT, CALLED], ids=["a decorator", "one with arguments"])
def test_an_object_of_a_library_that_holds_the_definition_is_named(start: Start, source: str) -> None:
    """That one alone: neither a logger, nor an object that was given nothing."""
    app = start({"shop": source})
    shop = app.load("shop")
    report = app.push({"shop": source.replace("v1.", "v2.")}).report
    assert report.of("shop").stale == ["SERVER (exposed, which changed, registered show with it)"]
    assert list(shop.SERVER.funcs) == ["v1.show"]


def test_an_object_of_another_module_is_named_there(start: Start) -> None:
    """By the name that it has in its own module."""
    main = """
        from shop import bus
        def exposed(function):
            bus.SERVER.register_function(function, "v1")
            return function
        @exposed
        def show():
            return 1
    """
    bus = "from xmlrpc.server import SimpleXMLRPCDispatcher\nSERVER = SimpleXMLRPCDispatcher()\n"
    app = start({"shop/": "", "shop.bus": bus, "shop.main": main})
    app.load("shop.main")
    report = app.push({"shop.main": main.replace('"v1"', '"v2"')}).report
    assert report.of("shop.bus").stale == ["SERVER (exposed, which changed, registered show with it)"]


def test_a_changed_decorator_that_registers_nothing_names_nothing(start: Start) -> None:
    """What its wrappers do when they are called is no registration."""
    source = DIRECT.replace('    SERVER.register_function(function, "v1." + function.__name__)\n', "").replace(
        '"exposed %s"', '"v1."'
    )
    app = start({"shop": source})
    app.load("shop")
    assert app.push({"shop": source.replace("v1.", "v2.")}).report.of("shop").stale == []

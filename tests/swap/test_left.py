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


def test_an_object_that_took_the_place_of_what_a_decorator_registered_with_is_named(start: Start) -> None:
    """The definition did not change, so that it is still registered with the one before; the new one holds nothing."""
    bus = "from xmlrpc.server import SimpleXMLRPCDispatcher\nSERVER = SimpleXMLRPCDispatcher()\n"
    main = "from shop.bus import SERVER\n@SERVER.register_function\ndef show():\n    return 1\n"
    app = start({"shop/": "", "shop.bus": bus, "shop.main": main})
    shop = app.load("shop.main")
    before = shop.SERVER
    moved = main.replace("from shop.bus import SERVER\n", bus)
    report = app.push({"shop.main": moved, "shop.bus": "X = 1\n"}).report
    assert shop.SERVER is not before
    assert list(before.funcs) == ["show"]
    assert "SERVER (show is registered with what it was bound to before)" in report.of("shop.main").stale


def test_an_object_that_a_changed_decorator_speaks_of_now_is_named(start: Start) -> None:
    """In its own module, though that is imported first by the new code."""
    main = DIRECT.replace("def plain", "import atexit\ndef plain")
    other = "from xmlrpc.server import SimpleXMLRPCDispatcher\nREMOTE = SimpleXMLRPCDispatcher()\n"
    app = start({"shop/": "", "shop.main": main})
    app.load("shop.main")
    new = main.replace("    SERVER.register", "    bus.REMOTE.register")
    new = new.replace("import logging", "import logging\nfrom shop import bus")
    report = app.push({"shop.main": new, "shop.bus": other}).report
    assert report.of("shop.bus").stale == ["REMOTE (exposed, which changed, registers show with it)"]
    assert "SERVER (exposed, which changed, registered show with it)" in report.of("shop.main").stale

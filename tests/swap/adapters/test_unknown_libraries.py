"""Real libraries without an adapter of their own: the engine finds their registries by structure."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from living import dedented

PYEE = dedented({
    "events": """
        from pyee.base import EventEmitter
        bus = EventEmitter()
        SEEN = []
        @bus.on("order")
        def on_order(n):
            SEEN.append(("order1", n))
        @bus.on("order")
        def log(n):
            SEEN.append(("log", n))
    """
})  # fmt: skip


def test_an_event_emitter(start: Any) -> None:
    """pyee: a handler of another event is called for that alone; others of the old event stay."""
    pytest.importorskip("pyee")
    app = start(PYEE)
    module = app.load("events")
    text = PYEE["events"].replace('@bus.on("order")\ndef on_order', '@bus.on("paid")\ndef on_order')
    text = text.replace("order1", "order2")
    committed = app.push({"events": text})
    module.bus.emit("order", 1)
    module.bus.emit("paid", 2)
    assert module.SEEN == [("log", 1), ("order2", 2)]
    assert committed.report.of("events").doubled == []
    committed.undo()
    module.SEEN.clear()
    module.bus.emit("order", 3)
    assert sorted(module.SEEN) == [("log", 3), ("order1", 3)]


HUEY = dedented({
    "work": """
        from huey import MemoryHuey
        huey = MemoryHuey(immediate=True)
        @huey.task(retries=1)
        def add(x, y):
            return x + y
        @huey.task()
        def other():
            return "other"
    """
})  # fmt: skip


def test_a_task_queue(start: Any) -> None:
    """huey: body and options of a task; its registry has each task once."""
    pytest.importorskip("huey")
    app = start(HUEY)
    module = app.load("work")
    assert module.add(1, 2)(blocking=True) == 3
    app.push({"work": HUEY["work"].replace("x + y", "x * y")})
    assert module.add(3, 4)(blocking=True) == 12
    before = len(module.huey._registry._registry)
    app.push({"work": HUEY["work"].replace("x + y", "x - y").replace("retries=1", "retries=5")})
    assert module.add(3, 4)(blocking=True) == -1
    assert module.add.retries == 5
    assert len(module.huey._registry._registry) == before


AIOHTTP = dedented({
    "served": """
        from aiohttp import web
        routes = web.RouteTableDef()
        @routes.get("/a")
        async def a(request):
            return web.Response(text="a1")
        @routes.get("/b")
        async def b(request):
            return web.Response(text="b1")
        def create_app():
            app = web.Application()
            app.add_routes(routes)
            return app
    """
})  # fmt: skip


def test_a_table_of_routes(start: Any) -> None:
    """aiohttp: handlers run their new code in the app that is served; the table has a changed route in its place."""
    web = pytest.importorskip("aiohttp.web")
    from aiohttp.test_utils import TestClient, TestServer

    app = start(AIOHTTP)
    module = app.load("served")

    async def served(living: Any, path: str) -> str:
        async with TestClient(TestServer(living)) as client:
            return await (await client.get(path)).text()

    assert web
    assert asyncio.run(served(module.create_app(), "/a")) == "a1"
    app.push({"served": AIOHTTP["served"].replace("a1", "a2")})
    assert asyncio.run(served(module.create_app(), "/a")) == "a2"
    committed = app.push({"served": AIOHTTP["served"].replace('"/a"', '"/c"')})
    assert [route.path for route in module.routes] == ["/c", "/b"]
    assert committed.report.of("served").doubled == []
    assert asyncio.run(served(module.create_app(), "/c")) == "a1"


ANEW = dedented({
    "told": """
        from blinker import Signal
        from pyee.base import EventEmitter
        paid, bus = Signal("one"), EventEmitter()
        SEEN = []
    """,
    "hears": """
        from told import SEEN, bus, paid
        @paid.connect
        def on_paid(sender):
            SEEN.append(("paid", sender))
        @bus.on("order")
        def on_order(n):
            SEEN.append(("order", n))
        bus.add_listener("any", on_order)
    """,
})


def test_emitters_that_are_made_anew(start: Any) -> None:
    """Blinker and pyee: another signal and another emitter have the listeners of a module that did not change."""
    pytest.importorskip("blinker")
    pytest.importorskip("pyee")
    app = start(ANEW)
    app.load("hears")
    told = app.load("told")
    former = told.bus
    text = ANEW["told"].replace('"one"', '"two"').replace("EventEmitter()", "EventEmitter() or 0")
    committed = app.push({"told": text})
    assert told.bus is not former
    told.paid.send("ana")
    told.bus.emit("order", 1)
    told.bus.emit("any", 2)
    assert told.SEEN == [("paid", "ana"), ("order", 1), ("order", 2)]
    assert committed.report.of("hears").stale == committed.report.of("hears").doubled == []
    committed.undo()
    assert told.bus is former
    told.SEEN.clear()
    former.emit("order", 3)
    assert told.SEEN == [("order", 3)]

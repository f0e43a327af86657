"""`receiver.task` in apps: on and off, with ASGI and without, declared early and late."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from nodes import World
from serving import Shop
from supervised import DEADLINE_S, turned

from habanero_receiver import Receiver
from habanero_receiver.fleet.heartbeat import Failure, decode


async def live(app: Any, meanwhile: Any) -> None:
    """A whole life of an ASGI app, as a server gives it one; `meanwhile` runs while it is up."""
    down, sent = asyncio.Event(), asyncio.Queue[str]()
    coming = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Any:
        kind = next(coming)
        if kind == "lifespan.shutdown":
            await down.wait()
        return {"type": kind}

    async def send(message: Any) -> None:
        sent.put_nowait(message["type"])

    async with asyncio.timeout(DEADLINE_S):
        server = asyncio.create_task(app({"type": "lifespan", "app": app, "state": {}}, receive, send))
        assert await sent.get() == "lifespan.startup.complete"
        await meanwhile()
        down.set()
        await server
        assert await sent.get() == "lifespan.shutdown.complete"


@pytest.mark.parametrize("mounted", ["before", "after", "wrapped"])
def test_a_receiver_that_is_off_runs_an_apps_loops_between_start_and_end(receiver: Receiver, mounted: str) -> None:
    """A loop finds what the app's own start made, and is over before its end takes it away; thread or not."""
    said: list[str] = []
    begun = threading.Barrier(2)

    @asynccontextmanager
    async def lifespan(_: Any) -> Any:
        said.append("app up")
        yield
        said.append("app down")

    app: Any = FastAPI(lifespan=lifespan)
    app = receiver.mount(app) if mounted == "before" else app

    @receiver.task(state=said)
    async def ticker(said: list[str]) -> None:
        said.append("ticker")
        try:
            await asyncio.to_thread(begun.wait)
            await asyncio.Event().wait()
        finally:
            said.append("ticker ends")

    @receiver.task
    def poll(stop: threading.Event) -> None:
        begun.wait()
        stop.wait()
        said.append("poll ends")

    app = receiver.mount(app) if mounted == "after" else app
    app = receiver.wrap(app) if mounted == "wrapped" else app

    async def meanwhile() -> None:
        await turned(lambda: len(said) >= 2 and not begun.n_waiting and poll.phase == "running")

    for _ in range(2):  # an app can live twice in one process
        asyncio.run(live(app, meanwhile))
        assert said[:2] == ["app up", "ticker"] and said[-1] == "app down"
        assert sorted(said[2:-1]) == ["poll ends", "ticker ends"]
        said.clear()


def test_an_app_without_loops_gets_nothing_from_a_receiver_that_is_off(receiver: Receiver) -> None:
    """Not one middleware; the first loop brings one, however many follow."""
    app = receiver.mount(FastAPI())
    assert app.user_middleware == []
    for number in range(3):
        receiver.task(lambda stop: None, name=str(number))
    assert len(app.user_middleware) == 1


def test_a_loop_declared_while_the_app_is_up_begins_at_once(receiver: Receiver) -> None:
    """From a request, a lifespan, a first import."""
    app = receiver.mount(FastAPI())
    receiver.task(lambda stop: stop.wait(), name="first")
    done, said = asyncio.Event(), list[str]()

    async def late() -> None:
        said.append("late")
        try:
            await asyncio.Event().wait()
        finally:
            done.set()

    async def meanwhile() -> None:
        task = receiver.task(late)
        await turned(lambda: "late" in said)
        assert task.phase == "running"

    asyncio.run(live(app, meanwhile))
    assert done.is_set()


def test_the_first_loop_may_be_declared_by_the_apps_own_start(receiver: Receiver) -> None:
    """Too late for a listener: it begins there and then, and ends with the event loop."""
    said: list[str] = []

    async def ticker() -> None:
        said.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            said.append("ended")

    @asynccontextmanager
    async def lifespan(_: Any) -> Any:
        receiver.task(ticker)
        yield

    asyncio.run(live(receiver.mount(FastAPI(lifespan=lifespan)), lambda: turned(lambda: said)))
    assert said == ["begun", "ended"]


def test_a_program_without_asgi_starts_and_stops_its_loops(receiver: Receiver) -> None:
    """A bot calls start() inside of its event loop; a script with threads calls it anywhere."""
    begun, over = threading.Event(), threading.Event()

    @receiver.task
    def poll(stop: threading.Event) -> None:
        begun.set()
        stop.wait()
        over.set()

    receiver.start()
    assert begun.wait(DEADLINE_S)
    receiver.stop()
    assert over.is_set() and poll.phase == "idle"

    async def main() -> None:
        here = asyncio.Event()

        @receiver.task
        async def bot() -> None:
            here.set()
            await asyncio.Event().wait()

        receiver.start()
        async with asyncio.timeout(DEADLINE_S):
            await here.wait()
        receiver.stop()
        await turned(lambda: bot.phase == "idle")

    asyncio.run(main())


def test_a_program_that_never_stops_its_receiver_ends_its_threads(tmp_path: Path) -> None:
    """At the end of the process a thread gets its event, and a moment for its last lines."""
    program = (
        "import threading\n"
        "from habanero_receiver import Receiver\n"
        "receiver, begun = Receiver.from_env({}), threading.Event()\n"
        "@receiver.task\n"
        "def poll(stop):\n    begun.set()\n    stop.wait()\n    print('flushed')\n"
        "receiver.start()\nbegun.wait()\n"
    )
    environ = {name: text for name, text in Shop(tmp_path / "s").environ().items() if not name.startswith("HABANERO")}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "flushed\n"), done.stderr


def test_a_forked_child_has_no_loops_until_it_starts(receiver: Receiver, tmp_path: Path) -> None:
    """Servers that fork after import begin their loops in each worker; a child that does not waits for none of them."""
    program = (
        "import os, threading, time\n"
        "from habanero_receiver import Receiver\n"
        "receiver = Receiver.from_env({})\n"
        "begun = threading.Event()\n"
        "@receiver.task\n"
        "def poll(stop):\n    begun.set()\n    stop.wait()\n"
        "receiver.start()\nbegun.wait()\nbegun.clear()\n"
        "if not os.fork():\n"
        "    raise SystemExit(0)\n"
        "began = time.monotonic()\n"
        "assert os.wait()[1] == 0 and time.monotonic() - began < 4\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    receiver.start()\n"
        "    os._exit(0 if begun.wait(10) else 1)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "assert poll.phase == 'running'\n"
    )
    environ = {name: text for name, text in Shop(tmp_path / "s").environ().items() if not name.startswith("HABANERO")}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr


def test_a_stuck_loop_is_in_the_workers_heartbeat(tmp_path: Path) -> None:
    """Whoever looks at the fleet sees it, unless there is worse to tell."""
    world = World(tmp_path)
    assert world.node.beat_now().failed is None
    world.node.stuck_tasks = lambda: ("shop.ticker",)
    failed = world.node.beat_now().failed
    assert failed is not None and failed.code == "task-stuck" and "shop.ticker" in failed.message
    assert decode(world.node.beat_now().encode()) is not None
    world.node.failure = Failure(3, "swap-refused", "no")
    assert world.node.beat_now().failed == world.node.failure

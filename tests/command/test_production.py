"""A bad release, seen from the laptop: the watch shows error, withdrawal and fix; status and log tell it too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from serving import wait_until
from sites import PRICING, Site, make_site

from habanero_py import events as e
from habanero_py.commands.watch import Watch
from habanero_py.commands.writes import Consent
from habanero_py.reporting import guarded

DEADLINE_S = 30.0
BAD = PRICING.replace("return amount * 2", "return amount * 2 + None")
MENDED = PRICING.replace("amount * 2", "amount * 3")


@pytest.fixture
def site(tmp_path: Path, private_config: Path) -> Iterator[Site]:
    """Two workers that withdraw a release at its second error."""
    site = make_site(tmp_path)
    file = site.laptop / "pyproject.toml"
    withdraw = "[tool.habanero]\nwithdraw = { errors_per_minute = 2 }"
    file.write_text(file.read_text().replace("[tool.habanero]", withdraw))
    with site.serve(workers=2):
        yield site


def fail(site: Site) -> None:
    answer = httpx.get(f"http://127.0.0.1:{site.port}/price", timeout=10)
    assert answer.status_code in (200, 500), answer.text


def test_the_watch_shows_what_production_raises_and_what_comes_of_it(site: Site) -> None:
    """Save, live, errors: the traceback and the withdrawal are told in the same terminal; the next save goes on."""

    async def play() -> None:
        loop, seen = asyncio.get_running_loop(), asyncio.Queue[e.Event]()
        session = site.session()

        def emit(event: e.Event) -> None:
            loop.call_soon_threadsafe(seen.put_nowait, event)

        async def until(kind: type[e.Event]) -> e.Event:
            async with asyncio.timeout(DEADLINE_S):
                while not isinstance(event := await seen.get(), kind):
                    pass
            return event

        session.emit = emit
        object.__setattr__(session.tools, "emit", emit)
        watch = Watch(session, Consent(True, None), partial(guarded, emit=emit, running=lambda: 0), keys=False)
        running = asyncio.create_task(watch.run(push_first=False))
        try:
            await until(e.Ready)
            site.save(MENDED)
            await until(e.Live)
            site.save(BAD)
            await until(e.Live)
            for _ in range(3):  # of two workers, one has to get two
                await asyncio.to_thread(fail, site)
            error = await until(e.ProductionError)
            assert isinstance(error, e.ProductionError)
            assert (error.push, error.kind, error.where) == (2, "TypeError", "GET /price")
            assert "return amount * 2 + None" in error.traceback
            back = await until(e.Withdrawn)
            assert isinstance(back, e.Withdrawn)
            assert (back.push, back.runs, back.in_step) == (2, 1, True)
            assert site.price()["price"] == 30
            site.save(BAD)
            watch._pressed("r")
            same = await until(e.Unchanged)
            assert isinstance(same, e.Unchanged)
            assert (same.running, same.withdrawn) == (1, 2)
            site.save(MENDED + "# mended\n")
            gone = await until(e.Live)
            assert isinstance(gone, e.Live) and gone.push == 3
        finally:
            watch._stop()
            await running
            session.close()

    asyncio.run(play())


def test_a_release_that_was_withdrawn_is_told_until_it_is_cleared(site: Site) -> None:
    """Status, log, show, verify and drift all go by what runs; a clear has it tried again."""
    site.save(MENDED)
    site.command("push", "--once")
    site.save(BAD)
    site.command("push", "--once", "--gate", "true")
    for _ in range(3):
        fail(site)
    with site.session() as session:
        wait_until(lambda: (state := session.server.state()).withdrawn is not None and state.in_step)
    assert site.price()["price"] == 30
    [status] = site.command("status")
    assert (status["head"], status["withdrawn"]["push"], status["withdrawn"]["runs"]) == (2, 2, 1)
    newest, first = site.command("log")
    assert (newest["running"], first["running"]) == (False, True)
    assert "2 errors" in newest["withdrawn"]["reason"] and "withdrawn" not in first
    [shown] = site.command("show", "2")
    assert shown["withdrawn"]["reason"] == newest["withdrawn"]["reason"]
    [verified] = site.command("verify")
    assert (verified["head"], verified["running"], verified["deviating"]) == (2, 1, [])
    assert site.command("drift", code=9)[-1]["running"] == 1
    [same] = site.command("push", "--once", "--gate", "true")
    assert (same["running"], same["withdrawn"]) == (1, 2)
    site.command("clear", "--yes")
    [status] = site.command("status")
    assert status["head"] == 3 and "withdrawn" not in status

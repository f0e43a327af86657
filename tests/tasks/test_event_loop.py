"""Async loops on a real event loop: begun, cancelled, begun again on new code, paused after errors, ended."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import threading
from typing import Any

import pytest
from supervised import DEADLINE_S, Company, turned


class Log:
    """A loop's state: what its runs did, with a way to wait for it."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.news = asyncio.Condition()
        self.inside = self.most = 0

    async def add(self, item: Any) -> None:
        async with self.news:
            self.items.append(item)
            self.news.notify_all()

    async def until(self, item: Any, times: int = 1) -> None:
        async with asyncio.timeout(DEADLINE_S), self.news:
            await self.news.wait_for(lambda: self.items.count(item) >= times)


def recode(function: Any, new: Any) -> None:
    """What a swap does to a living function."""
    function.__code__ = new.__code__


async def ended(company: Company) -> None:
    company.supervisor.end()
    assert await asyncio.to_thread(company.supervisor.wait) == []


def make_loop() -> Any:
    async def loop(log: Log) -> None:
        log.inside += 1
        log.most = max(log.most, log.inside)
        try:
            await log.add("old")
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # ends take a while
            log.inside -= 1

    return loop


async def new_loop(log: Log) -> None:
    """What a push makes of `make_loop`'s."""
    log.inside += 1
    log.most = max(log.most, log.inside)
    try:
        await log.add("new")
        await asyncio.Event().wait()
    finally:
        log.inside -= 1


def test_a_changed_loop_is_cancelled_and_begins_again_with_its_state(company: Company) -> None:
    """The way out of `while True`: the old run ends at its await, then the new one begins; never two at once."""

    async def main() -> None:
        loop, log = make_loop(), Log()
        task = company.task(loop, log)
        assert (task.phase, task.state) == ("idle", log)
        company.supervisor.begin()
        await log.until("old")
        assert task.phase == "running"
        recode(loop, new_loop)
        company.supervisor.settle()
        await log.until("new")
        assert log.items == ["old", "new"] and log.most == 1
        await ended(company)
        assert (log.inside, task.phase) == (0, "idle")

    asyncio.run(main())


def test_a_swap_that_does_not_concern_it_leaves_a_loop_alone(company: Company) -> None:
    """Most pushes are about something else: not a single await of the loop is disturbed."""

    async def main() -> None:
        loop, log = make_loop(), Log()
        company.task(loop, log)
        company.supervisor.begin()
        await log.until("old")
        for _ in range(3):
            company.supervisor.settle()
            company.supervisor.begin()
        await asyncio.sleep(0)
        assert log.items == ["old"]
        await ended(company)

    asyncio.run(main())


def test_nothing_begins_or_changes_in_the_middle_of_a_swap(company: Company) -> None:
    """A swap may still be taken back: only its end is looked at."""

    async def main() -> None:
        loop, log = make_loop(), Log()
        company.supervisor.begin()
        company.swapping = True
        company.task(loop, log)
        await asyncio.sleep(0)
        assert log.items == []
        company.swapping = False
        company.supervisor.settle()
        await log.until("old")
        await ended(company)

    asyncio.run(main())


def test_an_error_is_logged_and_the_loop_begins_again_after_growing_pauses(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    """A loop that fails at each start does not spin, and one that then works has its state from before."""

    async def main() -> None:
        log = Log()

        async def loop(log: Log) -> None:
            await log.add("begun")
            if len(log.items) < 6:
                raise ValueError("no connection")
            await log.add("works")
            await asyncio.Event().wait()

        company.task(loop, log)
        company.supervisor.begin()
        await log.until("works")
        await ended(company)

    asyncio.run(main())
    said = [r.getMessage().rpartition(" in ")[2] for r in caplog.records if "raised" in r.getMessage()]
    assert said == ["0.0 s", "0.0 s", "0.0 s", "0.0 s", "0.0 s"] and "no connection" in caplog.text


def test_the_pause_doubles_up_to_its_end(company: Company) -> None:
    """From the first pause to the last one; new code begins at once and starts with the first pause again."""

    async def main() -> None:
        log = Log()
        pauses: list[float] = []

        async def loop(log: Log) -> None:
            pauses.append(company.supervisor._loops[task.name].pause_s)
            await log.add("begun")
            raise ValueError

        task = company.task(loop, log, "failing")
        company.supervisor.begin()
        await log.until("begun", 5)
        assert pauses[:5] == [0.0, 0.01, 0.02, 0.04, 0.04]

        async def mended(log: Log) -> None:
            assert pauses and task and company  # the same closure
            await log.add("mended")
            await asyncio.Event().wait()

        recode(loop, mended)
        company.supervisor.settle()
        await log.until("mended")
        await ended(company)

    asyncio.run(main())


def test_new_code_ends_the_pause_at_once() -> None:
    """Whoever mends a failing loop does not wait for it."""

    async def main() -> None:
        from habanero_receiver.tasks.life import Pace

        company = Company(Pace(first_pause_s=3600))
        log = Log()

        async def loop(log: Log) -> None:
            await log.add("failing")
            raise ValueError

        task = company.task(loop, log)
        company.supervisor.begin()
        await log.until("failing")
        await turned(lambda: task.phase == "pausing")  # its task is done a turn after its last line
        recode(loop, new_loop)
        company.supervisor.settle()
        await log.until("new")
        await ended(company)

    asyncio.run(main())


def test_a_loop_that_returned_begins_again_only_on_new_code(company: Company) -> None:
    """Returning is a loop's own wish; a push that changes it is another."""

    async def main() -> None:
        log = Log()

        async def loop(log: Log) -> None:
            await log.add("once")

        task = company.task(loop, log)
        company.supervisor.begin()
        await log.until("once")
        await turned(lambda: task.phase == "over")
        company.supervisor.settle()
        assert task.phase == "over"
        recode(loop, new_loop)
        company.supervisor.settle()
        await log.until("new")
        assert log.items == ["once", "new"]
        await ended(company)

    asyncio.run(main())


def test_a_loop_that_swallows_its_cancellation_is_reported_and_not_killed(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says which loop, where it waits and what to do; when it ends after all, the new code begins."""

    async def main() -> None:
        log, release = Log(), asyncio.Event()

        async def loop(log: Log) -> None:
            while not release.is_set():
                try:
                    await log.add("turn")
                    await release.wait()
                except asyncio.CancelledError:
                    await log.add("swallowed")

        task = company.task(loop, log, "stubborn")
        company.supervisor.begin()
        await log.until("turn")

        async def mended(log: Log) -> None:
            assert release  # the same closure
            await log.add("mended")
            await asyncio.Event().wait()

        recode(loop, mended)
        company.supervisor.settle()
        await log.until("swallowed")
        await turned(lambda: task.phase == "stuck")
        assert company.supervisor.stuck() == ("stubborn",)
        assert "test_event_loop.py:" in caplog.text and "let asyncio.CancelledError pass" in caplog.text
        assert "mended" not in log.items
        release.set()
        await log.until("mended")
        assert company.supervisor.stuck() == ()
        await ended(company)

    asyncio.run(main())


def test_a_cancellation_that_leaks_out_of_what_it_awaits_is_an_error(company: Company) -> None:
    """A loop must not die silently because a client library cancelled a future of its own."""

    async def main() -> None:
        log = Log()

        async def loop(log: Log) -> None:
            await log.add("begun")
            if log.items.count("begun") < 2:
                broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                broken.cancel()
                await broken
            await asyncio.Event().wait()

        company.task(loop, log)
        company.supervisor.begin()
        await log.until("begun", 2)
        await ended(company)

    asyncio.run(main())


def test_the_end_of_the_event_loop_starts_nothing_anew(company: Company, recwarn: pytest.WarningsRecorder) -> None:
    """A server that goes down without a word cancels all tasks: that is no error, and nothing is left behind."""
    log_of: list[Log] = []

    async def main() -> None:
        log = Log()
        log_of.append(log)
        company.task(make_loop(), log)
        company.supervisor.begin()
        await log.until("old")

    asyncio.run(main())
    assert log_of[0].items == ["old"] and log_of[0].inside == 0


def test_what_was_left_on_a_dead_event_loop_begins_again_on_the_next(company: Company) -> None:
    """Tests start an app many times in one process; each start has its own event loop."""
    turns: list[str] = []

    async def loop() -> None:
        turns.append("begun")
        begun.set()
        await asyncio.Event().wait()

    company.task(loop)

    async def main() -> None:
        company.supervisor.begin()
        async with asyncio.timeout(DEADLINE_S):
            await begun.wait()

    for stop in (False, True, False):
        begun = asyncio.Event()

        async def life(stop: bool = stop) -> None:
            await main()
            if stop:
                await ended(company)

        asyncio.run(life())
    assert turns == ["begun"] * 3


def test_an_async_loop_without_an_event_loop_is_an_error_that_says_what_to_do(company: Company) -> None:
    """A program that starts too early learns it at once, and nothing of it has begun."""
    company.task(make_loop(), object())
    with pytest.raises(RuntimeError, match=r"no event loop runs here.*help: call receiver\.start\(\) inside"):
        company.supervisor.begin()


def test_runs_have_the_context_of_the_apps_start(company: Company) -> None:
    """A loop that is begun again by a push has the context variables that it had at first."""
    where = contextvars.ContextVar("where", default="nowhere")

    async def main() -> None:
        where.set("start")
        log = Log()

        async def loop(log: Log) -> None:
            await log.add(where.get())
            await asyncio.Event().wait()

        company.task(loop, log)
        company.supervisor.begin()
        await log.until("start")

        async def changed(log: Log) -> None:
            await log.add(where.get() + " again")
            await asyncio.Event().wait()

        recode(loop, changed)
        where.set("elsewhere")
        thread = threading.Thread(target=company.supervisor.settle)
        thread.start()
        await log.until("start again")
        thread.join()
        await ended(company)

    asyncio.run(main())


def test_wrappers_and_partials_of_async_functions_run_as_such(company: Company, caplog: Any) -> None:
    """A plain function around an async one gives something to await, and that is awaited."""
    caplog.set_level(logging.ERROR)

    async def main() -> None:
        log = Log()

        async def loop(log: Log, word: str) -> None:
            await log.add(word)
            await asyncio.Event().wait()

        @functools.wraps(loop)
        def wrapped(log: Log) -> Any:
            return loop(log, "wrapped")

        company.task(wrapped, log, "one")
        company.task(functools.partial(loop, word="partial"), log, "two")
        company.supervisor.begin()
        await log.until("wrapped")
        await log.until("partial")
        await ended(company)

    asyncio.run(main())
    assert caplog.text == ""

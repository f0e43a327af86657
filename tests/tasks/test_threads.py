"""Loops in threads: the event asks the old run to end, then the new one begins."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from supervised import DEADLINE_S, Company


class Log:
    """A loop's state: what its runs did, with a way to wait for it."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.news = threading.Condition()

    def add(self, item: Any) -> None:
        with self.news:
            self.items.append(item)
            self.news.notify_all()

    def until(self, item: Any, times: int = 1) -> None:
        with self.news:
            assert self.news.wait_for(lambda: self.items.count(item) >= times, DEADLINE_S), self.items


def make_loop() -> Any:
    def loop(log: Log, stop: threading.Event) -> None:
        log.add("old")
        stop.wait()
        log.add("old ends")

    return loop


def new_loop(log: Log, stop: threading.Event) -> None:
    """What a push makes of `make_loop`'s."""
    log.add("new")
    stop.wait()
    log.add("new ends")


def test_a_changed_loop_is_asked_to_end_and_begins_again_with_its_state(company: Company) -> None:
    """The new run begins after the last line of the old one, each with an event of its own."""
    loop, log = make_loop(), Log()
    task = company.task(loop, log)
    company.supervisor.begin()
    log.until("old")
    loop.__code__ = new_loop.__code__
    company.supervisor.settle()
    log.until("new")
    assert log.items == ["old", "old ends", "new"] and task.state is log
    company.supervisor.end()
    assert company.supervisor.wait() == []
    assert log.items == ["old", "old ends", "new", "new ends"] and task.phase == "idle"


def test_a_loop_without_state_gets_the_event_alone(company: Company) -> None:
    """The arguments are what was given, and nothing else."""
    got: list[tuple[Any, ...]] = []
    begun = threading.Event()

    def loop(*arguments: Any) -> None:
        got.append(arguments)
        begun.set()
        arguments[-1].wait()

    company.task(loop)
    company.supervisor.begin()
    assert begun.wait(DEADLINE_S)
    assert [type(argument) for argument in got[0]] == [threading.Event]


def test_an_error_is_logged_and_the_loop_begins_again(company: Company, caplog: pytest.LogCaptureFixture) -> None:
    """Even SystemExit ends but the run that raised it, and an error begins the next one after a pause."""
    log = Log()

    def loop(log: Log, stop: threading.Event) -> None:
        log.add("begun")
        if log.items.count("begun") < 4:
            raise OSError("gone")
        raise SystemExit

    task = company.task(loop, log)
    company.supervisor.begin()
    log.until("begun", 4)
    company.supervisor.end()
    company.supervisor.wait()
    assert caplog.text.count("OSError: gone") == 3 and task.phase == "idle"


def test_a_thread_that_ignores_its_event_is_reported_and_not_killed(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    """Its successor waits for it, as long as that may be."""
    log, release = Log(), threading.Event()

    def loop(log: Log, stop: threading.Event) -> None:
        log.add("begun")
        release.wait()

    def mended(log: Log, stop: threading.Event) -> None:
        assert release  # the same closure
        log.add("mended")
        stop.wait()

    task = company.task(loop, log, "deaf")
    company.supervisor.begin()
    log.until("begun")
    loop.__code__ = mended.__code__
    company.supervisor.settle()
    moving = company.supervisor._moving
    with moving:
        assert moving.wait_for(company.supervisor.stuck, DEADLINE_S) == ("deaf",)
    assert task.phase == "stuck" and "mended" not in log.items
    assert "task deaf was asked to end" in caplog.text and "stop.wait(seconds)" in caplog.text
    release.set()
    log.until("mended")
    assert task.phase == "running" and "has ended after all" in caplog.text


def test_the_end_of_the_app_says_who_does_not_end(caplog: pytest.LogCaptureFixture) -> None:
    """The wait is bounded, and what it waited for in vain is named."""
    from habanero_receiver.tasks.life import Pace

    company = Company(Pace(end_wait_s=0.05))
    begun, release = threading.Event(), threading.Event()

    def loop(stop: threading.Event) -> None:
        begun.set()
        release.wait()

    company.task(loop, name="deaf")
    company.supervisor.begin()
    assert begun.wait(DEADLINE_S)
    company.supervisor.end()
    assert company.supervisor.wait() == ["deaf"]
    assert "task deaf was asked to end" in caplog.text
    release.set()


def test_a_plain_function_that_returns_a_coroutine_says_so(company: Company, caplog: pytest.LogCaptureFixture) -> None:
    """It would never be awaited: that is an error, with the way out."""
    log = Log()

    async def body() -> None:
        """Never awaited."""

    def loop(log: Log, stop: threading.Event) -> Any:
        log.add("begun")
        return body()

    company.task(loop, log)
    company.supervisor.begin()
    log.until("begun", 2)
    assert "make it an async def" in caplog.text


def test_a_loop_that_ends_its_own_receiver_does_not_wait_for_itself(company: Company) -> None:
    """Whoever waits for loops never waits for the one that it is."""
    log = Log()

    def loop(log: Log, stop: threading.Event) -> None:
        company.supervisor.end()
        log.add(company.supervisor.wait())

    company.task(loop, log)
    company.supervisor.begin()
    log.until([])

"""Names, handles, and what becomes of a declaration that is made again."""

from __future__ import annotations

import asyncio
import functools
import threading
from typing import Any

import pytest
from supervised import Company


def loop(stop: threading.Event) -> int:
    """A loop of this module."""
    return 1


def make() -> Any:
    def loop(stop: threading.Event) -> None:
        stop.wait()

    return loop


def test_a_handle_stands_for_its_function(company: Company) -> None:
    """A test calls it, help() reads it, and its name says where it lives."""
    task = company.task(loop)
    assert task(threading.Event()) == 1
    assert (task.__doc__, task.__wrapped__) == ("A loop of this module.", loop)
    assert task.name.endswith("test_declared.loop") and repr(task) == f"<Task {task.name} idle>"


def test_one_name_is_one_loop_and_one_handle(company: Company) -> None:
    """A statement that a swap runs again declares nothing new."""
    task = company.task(loop)
    assert company.task(loop) is task and company.task(task) is task
    assert list(company.declared) == [task.name]


def test_two_loops_of_one_name_are_refused(company: Company) -> None:
    """A worker for each shard, all made by one function: losing all but the last silently would be worse."""
    company.task(make())
    with pytest.raises(ValueError, match=r"a task named .*make\.<locals>\.loop already; help: .*name="):
        company.task(make())
    company.task(make(), name="two")
    assert len(company.declared) == 2


def test_the_app_that_ended_a_loop_may_declare_another(company: Company) -> None:
    """A lifespan that makes its loops runs again in the next test: with that life's own state."""
    first = company.task(make(), "one")
    company.supervisor.begin()
    company.supervisor.end()
    company.supervisor.wait()
    assert company.task(make(), "two") is first and first.state == "two"


def test_in_a_swap_the_state_stays(company: Company) -> None:
    """Its statement ran again because something beside the state changed: the loop's life goes on."""
    task = company.task(make(), {"n": 5})
    company.swapping = True
    assert company.task(make(), {"n": 0}) is task
    assert task.state == {"n": 5}


def test_what_is_no_loop_is_refused(company: Company) -> None:
    """Generators would never be run, and other things cannot be called."""

    async def generator() -> Any:
        yield

    for wrong in (generator, lambda: (yield), 5):
        with pytest.raises(TypeError, match="help:"):
            company.task(wrong)  # type: ignore[arg-type]
    assert company.declared == {}


def test_objects_and_partials_have_names_too(company: Company) -> None:
    """The function that is in them, or their class."""

    class Job:
        def __call__(self, stop: threading.Event) -> None: ...

        def run(self, stop: threading.Event) -> None: ...

    assert company.task(functools.partial(loop)).name.endswith("test_declared.loop")
    assert company.task(Job()).name.endswith("<locals>.Job")
    job = Job()
    assert company.task(job.run) is company.task(job.run)


def test_ending_a_task_takes_it_out_for_good(company: Company) -> None:
    """For loops that belong to something that comes and goes."""

    async def main() -> None:
        done = asyncio.Event()

        async def job() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                done.set()

        company.supervisor.begin()
        task = company.task(job)
        await asyncio.sleep(0)
        task.end()
        async with asyncio.timeout(10):
            await done.wait()
        await asyncio.sleep(0)
        company.supervisor.begin()
        assert (task.phase, task.state, company.declared) == ("idle", None, {})
        assert company.supervisor._loops == {}

    asyncio.run(main())

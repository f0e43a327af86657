"""Celery tasks follow their functions: body, options, names, schedules; workers run what was swapped in."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from living import dedented

pytest.importorskip("celery")

JOBS = dedented(
    {
        "jobs/": "",
        "jobs.app": """
        from celery import Celery
        celery = Celery("jobs", broker="memory://", backend="cache+memory://")
        celery.conf.task_always_eager = True
        celery.conf.beat_schedule = {"tick": {"task": "tick", "schedule": 30.0}}
    """,
        "jobs.tasks": """
        from celery import shared_task
        from jobs.app import celery

        @celery.task(name="add")
        def add(x, y):
            return x + y

        @celery.task
        def plain(x):
            return x

        @celery.task(bind=True, max_retries=3, rate_limit="10/m")
        def bound(self, x):
            return (self.name, x)

        @shared_task
        def shared(x):
            return x

        @shared_task(name="named.shared", time_limit=30)
        def named(x=1):
            return x

        @celery.task
        def gone():
            return 1
    """,
    }
)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Celery keeps tasks, apps and settings of logs for the whole process: each test leaves none."""
    from celery import _state

    finalizers, apps = set(_state._on_app_finalizers), set(_state._apps)
    level, handlers = logging.root.level, list(logging.root.handlers)  # a worker sets up the process's logs
    yield
    logging.root.setLevel(level)
    logging.root.handlers[:] = handlers
    _state._on_app_finalizers.intersection_update(finalizers)
    for app in set(_state._apps) - apps:
        app.close()
        _state._deregister_app(app)


def load(start: Any) -> tuple[Any, Any, Any]:
    app = start(JOBS)
    return app, app.load("jobs.app").celery, app.load("jobs.tasks")


def own(celery: Any) -> list[str]:
    return sorted(name for name in celery.tasks if not name.startswith("celery."))


def test_bodies_signatures_and_bound_tasks(start: Any) -> None:
    """A task whose body or signature changed is the same task, in every registry, and checks its new arguments."""
    app, celery, tasks = load(start)
    names = own(celery)
    held = [tasks.add, tasks.plain, tasks.bound, tasks.shared]
    assert tasks.add.delay(1, 2).get() == 3
    assert tasks.bound.delay(1).get() == ("jobs.tasks.bound", 1)
    text = (
        JOBS["jobs.tasks"]
        .replace("def add(x, y):\n    return x + y", "def add(x, y, z=10):\n    return x + y + z")
        .replace("def plain(x):\n    return x", "def plain(x, *, k=2):\n    return x * k")
        .replace("return (self.name, x)", "return (self.name, x, self.max_retries)")
        .replace("def shared(x):\n    return x", "def shared(x, y=5):\n    return x + y")
    )
    committed = app.push({"jobs.tasks": text})
    assert own(celery) == names
    assert celery.tasks["add"].delay(1, 2).get() == 13
    assert tasks.add.delay(1, 2, z=1).get() == 4
    assert held[0].delay(1, 2, 3).get() == 6
    assert held[1].delay(2, k=4).get() == 8
    assert tasks.plain.delay(2).get() == 4
    assert held[2].delay(1).get() == ("jobs.tasks.bound", 1, 3)
    assert held[3].delay(1).get() == 6
    assert celery.tasks["jobs.tasks.shared"].delay(1, y=2).get() == 3
    with pytest.raises(TypeError):
        tasks.add.delay(1)
    committed.undo()
    assert own(celery) == names
    assert celery.tasks["add"].delay(1, 2).get() == 3
    with pytest.raises(TypeError):
        tasks.add.delay(1, 2, 3)


def test_options_change(start: Any) -> None:
    """Retry limits, rate limits, queues and names given to the decorator hold for the task wherever it is held."""
    app, celery, tasks = load(start)
    bound, named = tasks.bound, tasks.named
    assert (bound.max_retries, bound.rate_limit, named.time_limit) == (3, "10/m", 30)
    text = (
        JOBS["jobs.tasks"]
        .replace('max_retries=3, rate_limit="10/m"', 'max_retries=7, rate_limit="20/m", acks_late=True')
        .replace("time_limit=30", "time_limit=60")
    )
    committed = app.push({"jobs.tasks": text})
    for task in (bound, tasks.bound, celery.tasks["jobs.tasks.bound"]):
        assert (task.max_retries, task.rate_limit, task.acks_late) == (7, "20/m", True)
    for task in (named, tasks.named, celery.tasks["named.shared"]):
        assert task.time_limit == 60
    assert bound.delay(2).get() == ("jobs.tasks.bound", 2)
    committed.undo()
    for task in (bound, tasks.bound, celery.tasks["jobs.tasks.bound"]):
        assert (task.max_retries, task.rate_limit) == (3, "10/m")
    assert celery.tasks["named.shared"].time_limit == 30


def test_tasks_renamed_added_and_removed(start: Any) -> None:
    """The registry holds a renamed task by its new name alone, a removed one no more, a new one once."""
    app, celery, _ = load(start)
    before = own(celery)
    text = (
        JOBS["jobs.tasks"]
        .replace('name="add"', 'name="sum"')
        .replace('name="named.shared"', 'name="renamed.shared"')
        .split("@celery.task\ndef gone")[0]
    )
    text += "@celery.task\ndef fresh(x):\n    return -x\n"
    text += "@shared_task\ndef also(x):\n    return -2 * x\n"
    committed = app.push({"jobs.tasks": text})
    expected = {"sum", "renamed.shared", "jobs.tasks.fresh", "jobs.tasks.also"}
    assert set(own(celery)) == set(before) - {"add", "named.shared", "jobs.tasks.gone"} | expected
    assert celery.tasks["sum"].delay(1, 2).get() == 3
    assert celery.tasks["jobs.tasks.fresh"].delay(1).get() == -1
    assert celery.tasks["jobs.tasks.also"].delay(1).get() == -2
    committed.undo()
    assert own(celery) == before
    assert celery.tasks["add"].delay(1, 2).get() == 3
    import celery as library

    fresh = library.Celery("other")
    try:
        assert "jobs.tasks.also" not in fresh.tasks
        assert "named.shared" in fresh.tasks
    finally:
        fresh.close()


def test_the_schedule_follows_its_statement(start: Any) -> None:
    """A changed schedule is what beat reads at its next look at the configuration."""
    app, celery, _ = load(start)
    app.push({"jobs.app": JOBS["jobs.app"].replace("30.0", "5.0")})
    assert celery.conf.beat_schedule["tick"]["schedule"] == 5.0


@pytest.mark.heavy  # a pool of processes is among the tests of the fleet
@pytest.mark.parametrize("pool", ["solo", "threads"])
def test_a_worker_runs_the_new_code(start: Any, pool: str) -> None:
    """A worker that consumes already: bodies, options, a renamed and a new task; then all of it is taken back."""
    from celery.contrib.testing.worker import start_worker

    sources = {**JOBS, "jobs.app": JOBS["jobs.app"].replace("task_always_eager = True", "task_always_eager = False")}
    app = start(sources)
    celery, tasks = app.load("jobs.app").celery, app.load("jobs.tasks")
    with start_worker(celery, pool=pool, perform_ping_check=False, shutdown_timeout=30):
        assert tasks.add.delay(1, 2).get(timeout=30) == 3
        text = (
            JOBS["jobs.tasks"]
            .replace("return x + y", "return x * y * 10")
            .replace("def plain(x):", "def plain(x, k=3):")
            .replace("    return x\n\n@celery.task(bind", "    return x * k\n\n@celery.task(bind")
            .replace('name="named.shared", time_limit=30', 'name="other.shared", time_limit=60')
        ) + "@celery.task\ndef fresh(x):\n    return -x\n"
        committed = app.push({"jobs.tasks": text})
        assert tasks.add.delay(1, 2).get(timeout=30) == 20
        assert tasks.plain.delay(2).get(timeout=30) == 6
        assert tasks.fresh.delay(4).get(timeout=30) == -4
        assert tasks.named.delay(5).get(timeout=30) == 5
        assert celery.tasks["other.shared"].time_limit == 60
        committed.undo()
        assert tasks.add.delay(1, 2).get(timeout=30) == 3
        assert tasks.plain.delay(2).get(timeout=30) == 2

"""Code that is signed and wrong, over real sockets: its author learns why, everybody else nothing, nothing changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from authoring import Author
from listening import Listening, listen
from miscoded import of, other_code, with_code
from nodes import World

from habanero_receiver.fleet import follower
from habanero_receiver.swap import SwapReport, SwapUndoError


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "srv")
    follower.catch_up(made.node)
    made.swapper.log.clear()
    return made


@pytest.fixture
def at(world: World) -> Iterator[Listening]:
    with listen(world.node) as listening:
        yield listening


def problem(at: Listening, push: Any, status: int, code: str) -> dict[str, Any]:
    answer = at.push(push.encode())
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["code"]) == (status, code), found
    return found


def untouched(world: World) -> None:
    """What runs is what ran, the journal is empty, and the next push is taken."""
    assert world.swapper.live == {} and world.node.running_seq == 0 and world.make_journal().entry(1) is None


def test_what_is_no_code_object(world: World, at: Listening) -> None:
    """400 `not-code`, before anything is staged or kept."""
    problem(at, with_code(world, of(42)), 400, "not-code")
    untouched(world)
    assert world.files() == set() and world.swapper.log == []


def test_code_of_another_source_where_that_is_looked_at(world: World, at: Listening) -> None:
    """400 `source-mismatch` with HABANERO_VERIFY_SOURCE=on."""
    world.node.verify_source = True
    problem(at, other_code(world), 400, "source-mismatch")
    untouched(world)
    assert world.files() == set() and world.swapper.log == []


def test_a_deleted_module_that_is_nowhere(world: World, at: Listening) -> None:
    """422 `unknown-module`."""
    problem(at, world.author.push(world.base.digest, {"shop.nowhere": None}), 422, "unknown-module")
    untouched(world)


def test_a_change_that_living_code_cannot_take(world: World, at: Listening) -> None:
    """422 `swap-refused` with the reasons per module."""
    world.swapper.refuse = True
    assert problem(at, world.push(), 422, "swap-refused")["details"]["report"]["modules"]
    untouched(world)


def test_a_statement_that_raises(world: World, at: Listening) -> None:
    """500 `rolled-back` with the traceback for the author; a stranger who sends the same code gets the uniform 401."""
    world.swapper.fail_commit = ZeroDivisionError("a secret of the app")
    assert "a secret of the app" in problem(at, world.push(), 500, "rolled-back")["details"]["traceback"]
    untouched(world)
    assert "secret" not in str(problem(at, world.push(author=Author("mallory")), 401, "unauthorized"))


def test_a_stage_that_takes_too_long(world: World, at: Listening) -> None:
    """500 `rolled-back` when its time is over, although it still runs; it is never committed."""
    at.context.swap_timeout_s = 0.01
    go_on = threading.Event()
    world.swapper.on_stage = lambda: go_on.wait(20)
    try:
        problem(at, world.push(), 500, "rolled-back")
    finally:
        go_on.set()
    untouched(world)


def test_what_cannot_be_undone(world: World, at: Listening) -> None:
    """500 `dirty`, the process says that it is in neither state, and the journal never heard of the release."""
    world.swapper.fail_commit = SwapUndoError("undoing failed", SwapReport())
    problem(at, world.push(), 500, "dirty")
    assert world.node.dirty and world.node.running is None and world.make_journal().entry(1) is None
    failed = world.node.beat_now().failed
    assert failed is not None and failed.code == "dirty"

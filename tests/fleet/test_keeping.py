"""A machine's own copy of what it runs is made in the end, whatever the bucket said when it was first tried."""

from __future__ import annotations

import logging

import pytest
from nodes import World

from habanero_receiver.fleet import follower, keeping
from habanero_receiver.fleet.keeping import Keeping
from habanero_receiver.journal.local import LocalState


@pytest.fixture
def running(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A process that has just come to run release 1, on a machine that has no copy of it."""
    world.record(world.push())
    follower.catch_up(world.node)
    world.node.local = LocalState(world.root / "own")
    monkeypatch.setattr(keeping, "QUIET_S", 0.0)
    return world


def copies(world: World) -> list[str]:
    return [file.name for file in (world.root / "own").rglob("packs/*")]


def stale(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the bucket says that there is no entry."""
    monkeypatch.setattr(world.node.journal, "entry", lambda seq: None)


def test_a_copy_is_made_once(running: World) -> None:
    """And not again for as long as the same release runs."""
    looks = Keeping(running.node)
    looks.look()
    [copy] = (running.root / "own").rglob("packs/*")
    copy.unlink()
    looks.look()
    assert copies(running) == []


def test_a_copy_that_a_stale_read_prevented_is_made_later(
    running: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said, tried again after a pause, and then it is there."""
    monkeypatch.setattr(keeping, "RETRY_FIRST_S", 0.0)
    looks = Keeping(running.node)
    with monkeypatch.context() as until, caplog.at_level(logging.WARNING):
        stale(running, until)
        looks.look()
        assert copies(running) == [] and "is not kept" in caplog.text
    looks.look()
    assert len(copies(running)) == 1


def test_what_cannot_be_read_is_tried_less_and_less_often(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock: after 5 seconds, 10, 20, and so on up to 10 minutes."""
    now, tried = [0.0], []
    monkeypatch.setattr(keeping.time, "monotonic", lambda: now[0])

    def entry(_: int) -> None:
        tried.append(now[0])

    monkeypatch.setattr(running.node.journal, "entry", entry)
    looks = Keeping(running.node)
    for second in range(2_000):
        now[0] = float(second)
        looks.look()
    assert tried == [0, 5, 15, 35, 75, 155, 315, 635, 1235, 1835]

"""Safe points: a commit runs once, on the loop, or is withdrawn; never both, never later."""

from __future__ import annotations

import asyncio
import threading

import pytest

from habanero_receiver.errors import SwapError
from habanero_receiver.fleet.safepoint import HereSafepoint, LoopSafepoint
from habanero_receiver.hold import Hold


def test_without_a_loop_the_caller_commits() -> None:
    """A program without ASGI commits in the thread that asks."""
    assert HereSafepoint().run(threading.get_ident) == threading.get_ident()


def test_with_a_loop_the_loop_commits_and_errors_come_back() -> None:
    """The commit runs in the loop's thread, and what it raises is raised where it was asked for."""

    async def main() -> None:
        safepoint = LoopSafepoint(asyncio.get_running_loop(), Hold())
        assert await asyncio.to_thread(safepoint.run, threading.get_ident) == threading.get_ident()
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(safepoint.run, lambda: 1 // 0)
        with pytest.raises(TimeoutError, match="its own"):
            await asyncio.to_thread(safepoint.run, _time_out)

    asyncio.run(main())


def _time_out() -> None:
    raise TimeoutError("its own")


def test_a_commit_that_was_given_up_does_not_run_later() -> None:
    """When the loop is blocked for too long the commit is withdrawn, and stays so when the loop is free again."""
    ran: list[bool] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        safepoint = LoopSafepoint(loop, Hold(), wait_s=0.02)
        outcome: list[BaseException] = []
        over = threading.Event()

        def ask() -> None:
            try:
                safepoint.run(lambda: ran.append(True))
            except SwapError as error:
                outcome.append(error)
            over.set()

        threading.Thread(target=ask).start()
        over.wait(5)  # the loop is blocked until the other thread has given up
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [error.code for error in outcome if isinstance(error, SwapError)] == ["no-safe-point"]

    asyncio.run(main())
    assert ran == []


def test_a_closed_loop_is_told() -> None:
    """A worker that is shutting down refuses; nothing waits for a loop that is gone."""
    loop = asyncio.new_event_loop()
    loop.close()
    with pytest.raises(SwapError) as caught:
        LoopSafepoint(loop, Hold()).run(lambda: None)
    assert caught.value.code == "no-safe-point"

"""The hold: nobody fails, nobody waits for long, and the door opens whatever happens."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from habanero_receiver.hold import Hold


class Requests:
    """Requests of an app that finish when they are told to."""

    def __init__(self, hold: Hold) -> None:
        self.hold = hold
        self.inside: list[int] = []
        self.entered: dict[int, asyncio.Event] = {}
        self.over: dict[int, asyncio.Event] = {}

    def begin(self, number: int) -> asyncio.Task[None]:
        self.entered[number], self.over[number] = asyncio.Event(), asyncio.Event()

        async def app(*_: Any) -> None:
            self.inside.append(number)
            self.entered[number].set()
            await self.over[number].wait()

        return asyncio.ensure_future(self.hold.pass_through(app, {}, _none, _none))


async def _none(*_: Any) -> Any:
    return {}


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_with_nobody_inside_a_commit_does_not_even_shut_the_door() -> None:
    """An idle app is swapped in one turn of the loop."""

    async def main() -> None:
        hold = Hold()
        assert await hold.quietly(lambda: hold.shut) is False

    asyncio.run(main())


def test_new_requests_wait_and_then_run_while_those_inside_finish() -> None:
    """A commit waits for who is inside, who comes waits for the commit, and everyone is served."""

    async def main() -> None:
        hold = Hold(grace_s=5)
        requests, order = Requests(hold), []
        first = requests.begin(1)
        await settle()
        commit = asyncio.ensure_future(hold.quietly(lambda: order.append(list(requests.inside))))
        await settle()
        second = requests.begin(2)
        await settle()
        assert hold.shut and order == [] and requests.inside == [1]
        requests.over[1].set()
        await commit
        requests.over[2].set()
        await asyncio.gather(first, second)
        assert order == [[1]] and requests.inside == [1, 2] and hold.inside == 0

    asyncio.run(main())


def test_a_request_that_does_not_finish_costs_one_moment_once() -> None:
    """A stream of events delays the first commit by the grace period and no later one at all."""

    async def main() -> None:
        hold = Hold(grace_s=0.01)
        requests = Requests(hold)
        stream = requests.begin(1)
        await settle()
        assert hold.inside == 1
        await hold.quietly(lambda: None)
        assert hold.inside == 0
        assert await hold.quietly(lambda: hold.shut) is False
        requests.over[1].set()
        await stream
        assert hold.inside == 0

    asyncio.run(main())


def test_a_commit_that_raises_opens_the_door() -> None:
    """What the commit raises comes out, and requests go on."""

    async def main() -> None:
        hold = Hold(grace_s=0.01)
        requests = Requests(hold)
        first = requests.begin(1)
        await settle()
        with pytest.raises(ZeroDivisionError):
            await hold.quietly(lambda: 1 // 0)
        assert not hold.shut
        second = requests.begin(2)
        await settle()
        assert requests.inside == [1, 2]
        for number in (1, 2):
            requests.over[number].set()
        await asyncio.gather(first, second)

    asyncio.run(main())


def test_a_commit_that_is_cancelled_opens_the_door() -> None:
    """A push whose waiting is cut off leaves no door shut."""

    async def main() -> None:
        hold = Hold(grace_s=5)
        requests = Requests(hold)
        first = requests.begin(1)
        await settle()
        commit = asyncio.ensure_future(hold.quietly(lambda: None))
        await settle()
        assert hold.shut
        commit.cancel()
        await settle()
        assert not hold.shut
        requests.over[1].set()
        await first

    asyncio.run(main())


def test_the_lease_opens_a_door_that_nobody_opened(caplog: pytest.LogCaptureFixture) -> None:
    """Even if the moment for those inside never ended, the app is not kept shut, and the log says so."""
    caplog.set_level(logging.ERROR, logger="habanero")

    async def main() -> None:
        hold = Hold(grace_s=60, lease_s=0.01)
        requests = Requests(hold)
        first = requests.begin(1)
        await settle()
        commit = asyncio.ensure_future(hold.quietly(lambda: None))
        await settle()
        second = requests.begin(2)
        await asyncio.wait_for(requests.entered[2].wait(), 5)
        commit.cancel()
        for number in (1, 2):
            requests.over[number].set()
        await asyncio.gather(first, second)

    asyncio.run(main())
    assert "opened by its lease" in caplog.text


def test_a_commit_that_outlasts_the_lease_opens_the_door_when_it_ends() -> None:
    """While a commit runs nothing else of the loop does, the lease included; then all who waited are served, once."""

    async def main() -> None:
        hold = Hold(grace_s=5, lease_s=0.01)
        requests = Requests(hold)
        first = requests.begin(1)
        await settle()

        def slow() -> None:
            deadline = asyncio.get_running_loop().time() + 0.02
            while asyncio.get_running_loop().time() < deadline:
                pass  # past the lease, whatever the machine does

        commit = asyncio.ensure_future(hold.quietly(slow))
        await settle()
        requests.over[1].set()
        second = requests.begin(2)
        await commit
        await asyncio.wait_for(requests.entered[2].wait(), 5)
        assert not hold.shut
        requests.over[2].set()
        await asyncio.gather(first, second)
        assert requests.inside == [1, 2]

    asyncio.run(main())


def test_a_thread_that_asked_and_died_leaves_the_door_open() -> None:
    """The commit is the loop's: when the thread that wanted it is gone, it still ends, and the app goes on."""

    async def main() -> None:
        hold, ran = Hold(grace_s=5), asyncio.Event()
        requests = Requests(hold)
        first = requests.begin(1)
        await settle()
        loop = asyncio.get_running_loop()
        asker = threading.Thread(target=lambda: asyncio.run_coroutine_threadsafe(hold.quietly(ran.set), loop))
        asker.start()
        await asyncio.to_thread(asker.join)
        await settle()
        second = requests.begin(2)
        requests.over[1].set()
        await asyncio.wait_for(ran.wait(), 5)
        await asyncio.wait_for(requests.entered[2].wait(), 5)
        assert not hold.shut
        requests.over[2].set()
        await asyncio.gather(first, second)

    asyncio.run(main())


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_commit_that_wants_to_end_the_program_opens_the_door(error: type[BaseException]) -> None:
    """Whatever the app's own code raises in a commit, the door is open before it is passed on."""

    async def main() -> None:
        hold = Hold(grace_s=0.01)
        requests = Requests(hold)
        first = requests.begin(1)
        await settle()

        def leave() -> None:
            raise error

        with pytest.raises(error):
            await hold.quietly(leave)
        assert not hold.shut
        requests.over[1].set()
        await first

    asyncio.run(main())


def test_a_request_that_fails_or_is_cancelled_is_counted_out() -> None:
    """The count of those inside comes back to zero however a request ends."""

    async def main() -> None:
        hold = Hold()

        async def broken(*_: Any) -> None:
            raise RuntimeError

        with pytest.raises(RuntimeError):
            await hold.pass_through(broken, {}, _none, _none)
        requests = Requests(hold)
        task = requests.begin(1)
        await settle()
        task.cancel()
        await settle()
        assert hold.inside == 0

    asyncio.run(main())


def test_a_waiting_request_that_goes_away_disturbs_nobody() -> None:
    """One client that gives up at the door does not open it for the others, nor keep it shut."""

    async def main() -> None:
        hold = Hold(grace_s=5)
        requests = Requests(hold)
        first = requests.begin(1)
        await settle()
        commit = asyncio.ensure_future(hold.quietly(lambda: None))
        await settle()
        impatient, patient = requests.begin(2), requests.begin(3)
        await settle()
        impatient.cancel()
        await settle()
        assert hold.shut and requests.inside == [1]
        requests.over[1].set()
        await commit
        requests.over[3].set()
        await asyncio.gather(first, patient)
        assert requests.inside == [1, 3]

    asyncio.run(main())

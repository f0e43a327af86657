"""The ledger of starts: when a release counts as one that does not start, and when it must not."""

from __future__ import annotations

import json

import pytest

from habanero_receiver.journal.starts import Ledger, Process

R = "sha256:" + "1" * 64
LIMIT = 3


class Machine:
    """Processes that begin and die, and the ledger that they share."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.living: set[Process] = set()
        self.now = 1000.0
        self.born = 0

    def look(self) -> bool:
        """What any start does first; gives whether the release is condemned."""
        self.ledger = self.ledger.reaped(
            R, lambda process: process in self.living, now=self.now, limit=LIMIT, patience_s=10
        )
        self.ledger = Ledger.from_json(json.loads(json.dumps(self.ledger.to_json())))
        return R in self.ledger.condemned()

    def start(self) -> Process:
        assert not self.look()
        self.born += 1
        process = Process(self.born, "now")
        self.living.add(process)
        self.ledger = self.ledger.begun(R, 7, process, self.now)
        return process

    def die(self, *processes: Process) -> None:
        self.living -= set(processes)

    def fail(self) -> None:
        self.die(self.start())


def test_starts_that_fail_one_after_the_other_condemn_a_release():
    """The third in a row; not the second."""
    machine = Machine()
    for _ in range(LIMIT):
        machine.fail()
    assert machine.look()
    assert machine.ledger.condemned()[R].seq == 7


def test_workers_of_one_start_are_one_failure():
    """Eight begin together and die together: one. Twice more, and it is condemned."""
    machine = Machine()
    for _ in range(LIMIT):
        machine.die(*[machine.start() for _ in range(8)])
    assert machine.look()
    machine = Machine()
    for _ in range(LIMIT - 1):
        machine.die(*[machine.start() for _ in range(8)])
    assert not machine.look()


def test_one_worker_that_dies_again_and_again_waits_for_what_the_others_come_to():
    """While the others still start they may prove the release; past their time they say nothing."""
    machine = Machine()
    others = [machine.start() for _ in range(7)]
    for _ in range(LIMIT + 2):
        machine.fail()
    assert not machine.look()
    machine.now += 11
    assert machine.look()
    assert machine.living == set(others)


def test_a_release_that_was_ready_once_is_not_counted_again():
    """A worker that is killed while it serves, or in a later start, says nothing about the release."""
    machine = Machine()
    machine.fail()
    machine.fail()
    machine.start()
    machine.ledger = machine.ledger.ready(R)
    for _ in range(10):
        machine.fail()
    assert not machine.look()


def test_an_end_in_order_says_nothing():
    """Scripts and checks come and go; they neither count nor take back what was counted."""
    machine = Machine()
    machine.fail()
    for _ in range(10):
        process = machine.start()
        machine.ledger = machine.ledger.ended(R, process, failed=False)
        machine.die(process)
    machine.fail()
    assert not machine.look()
    machine.fail()
    assert machine.look()


def test_a_start_that_says_itself_that_it_failed_counts():
    """Once, though it dies as well."""
    machine = Machine()
    for _ in range(LIMIT):
        process = machine.start()
        machine.ledger = machine.ledger.ended(R, process, failed=True)
        machine.die(process)
    assert machine.look()
    machine = Machine()
    process = machine.start()
    machine.ledger = machine.ledger.ended(R, process, failed=True)
    machine.die(process)
    machine.look()
    assert machine.ledger.records[R].round == 1


def test_a_condemned_release_stays_so():
    """Neither a worker that comes up late nor time makes it good; a later release has a digest of its own."""
    machine = Machine()
    for _ in range(LIMIT):
        machine.fail()
    assert machine.look()
    machine.ledger = machine.ledger.ready(R)
    machine.now += 10_000
    assert machine.look()
    assert "sha256:other" not in machine.ledger.condemned()


@pytest.mark.parametrize("value", [[], 3, "x", {"a": 1}, {"a": {}}, {"a": {"seq": 1, "open": [[1]]}}])
def test_what_is_no_ledger_is_said(value):
    """Damage on the disk is told apart from an empty ledger."""
    with pytest.raises(ValueError, match=r"not a ledger|unpack"):
        Ledger.from_json(value)

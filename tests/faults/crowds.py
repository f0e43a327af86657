"""Scenarios of many authors at once, and of a machine whose clock is wrong."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import serving
from serving import Server, Shop, wait_until

from faults import forked, pushing, truth
from faults.scenario import Ground, Outcome, Scenario, UnavailableError
from habanero_receiver.journal.bucket import open_bucket
from habanero_receiver.release.envelope import Envelope

PUSHERS, ROUNDS = 8, 10
OFFSETS = ("+0", "+3600", "+0", "-3600", "+0")
"""Seconds that the clock is off, one after the other."""
LIBRARY = "faketime/libfaketimeMT.so.1"


def pushers(ground: Ground) -> Outcome:
    """Eight authors push to two servers of one bucket at the same time, each until it was accepted so many times."""
    outcome, rounds = Outcome(), ground.times(ROUNDS)
    one = Shop(ground.folder / "one")
    two = Shop(ground.folder / "two", author=one.author)
    settings = {"HABANERO_BUCKET": f"file://{one.bucket}", "HABANERO_INSTANCE": "two"}
    won: list[tuple[int, str]] = []
    counting_lock = threading.Lock()

    def push(number: int, server: Server) -> None:
        left, tries = rounds, 0
        while left and tries < 100 * rounds:
            tries += 1
            signed = server.next(forked.release(10 + number * 1000 + tries))
            answer = server.push(signed)
            with counting_lock:
                outcome.count("pushes")
                if answer.status_code == 200:
                    left -= 1
                    won.append((signed.statement.seq, signed.digest))
                else:
                    outcome.faults[f"{answer.status_code} {answer.json()['code']}"] += 1
                    outcome.expect(answer.status_code in (409, 503), f"answered with {answer.text}")

    with forked.serve(one) as first, forked.serve(two, **settings) as second:
        with ThreadPoolExecutor(PUSHERS) as authors:
            list(authors.map(push, range(PUSHERS), [first, second] * (PUSHERS // 2)))
        head = truth.check(one, outcome, "at the end")
        for server in (first, second):
            wait_until(lambda server=server: server.state()["running"]["seq"] == head)
        outcome.expect(first.price()["label"] == second.price()["label"], "the servers run different releases")
        pushing.running(first, outcome, "at the end")
    journal = truth.journal_of(one, open_bucket(one.environ()["HABANERO_BUCKET"]))
    there = [(seq, Envelope.decode(journal.entry(seq) or b"").digest) for seq in range(1, head + 1)]
    outcome.expect(sorted(won) == there, f"{len(won)} were told to have won, the journal holds {head}")
    outcome.tried["entries"] = head
    return outcome


def clocks(ground: Ground) -> Outcome:
    """One of two servers has a clock an hour ahead, then an hour behind; jumps while it runs, and at its start."""
    library = next((path for path in Path("/usr/lib").glob(f"*/{LIBRARY}")), None)
    if library is None:
        raise UnavailableError("without libfaketime: apt-get install --no-install-recommends libfaketime")
    outcome, rate, offset = Outcome(), 10, ground.folder / "offset"
    one = Shop(ground.folder / "one")
    two = Shop(ground.folder / "two", author=one.author)
    settings = {
        "HABANERO_BUCKET": f"file://{one.bucket}", "HABANERO_INSTANCE": "two", "LD_PRELOAD": str(library),
        "HABANERO_STATE": str(two.root / "state"),
        "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    offset.write_text("+0")
    with forked.serve(one) as right, serving.serve(two, with_receiver=False, **settings) as wrong:
        for now in OFFSETS * ground.times(2):
            _set(offset, now)
            if now != "+0":
                outcome.faults[f"clock {now} s"] += 1
            rate = _pushed(right, wrong, rate, now, outcome)
            with serving.serve(two, with_receiver=False, **settings) as started:
                outcome.count("starts")
                _comes_to(started, rate, now, outcome)
            _comes_to(right, rate, now, outcome)
    truth.check(one, outcome, "at the end")
    return outcome


def _pushed(right: Server, wrong: Server, rate: int, now: str, outcome: Outcome) -> int:
    """Push to the server whose clock is right, then to the other; gives the rate that is live afterwards."""
    push = right.next(forked.release(rate + 1))
    outcome.expect(pushing.attempt(right, push, outcome) == 200, f"clock {now} s: the other server's push failed")
    _comes_to(wrong, rate + 1, now, outcome)
    code = pushing.attempt(wrong, right.next(forked.release(rate + 2)), outcome)
    outcome.expect(code == (200 if now == "+0" else 403), f"clock {now} s: a push to it was answered with {code}")
    return rate + 1 + (code == 200)


def _comes_to(server: Server, rate: int, now: str, outcome: Outcome) -> None:
    wait_until(
        lambda: pushing.running(server, outcome, f"clock {now} s") == rate, what=lambda: f"clock {now} s: not {rate}"
    )


def _set(file: Path, offset: str) -> None:
    """Whoever reads the file sees one offset or the other."""
    new = file.with_suffix(".new")
    new.write_text(offset)
    os.replace(new, file)


SCENARIOS = (
    Scenario("pushers", "8 authors push to 2 servers at once: each win is in the journal, each loser is told",
             pushers, 0.3),
    Scenario("clocks", "a clock an hour off: follows and starts as ever, takes no push until it is right",
             clocks, 0.5),
)  # fmt: skip

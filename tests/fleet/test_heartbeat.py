"""Heartbeats: what is believed of them, and what the fleet looks like from them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habanero_receiver.fleet.heartbeat import (
    Beat,
    Failure,
    alive,
    clip,
    decode,
    in_step,
    machines,
    settled,
)

A, B = "sha256:a", "sha256:b"
BEAT = Beat("box", 7, "here", 3, A, 1.0, 0.5, 100.0)


@pytest.mark.parametrize("failed", [None, Failure(4, "swap-refused", "no")])
def test_a_beat_reads_back_as_it_was_written(failed: Failure | None) -> None:
    """What one worker writes is what the others read."""
    beat = replace(BEAT, failed=failed)
    assert decode(beat.encode()) == beat


JSON = st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner))


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_not_a_beat(data: bytes) -> None:
    """Whoever writes rubbish into the hosts folder breaks nothing: it is not a beat."""
    assert decode(data) is None


@pytest.mark.parametrize(
    "field", [("pid", "7"), ("running", True), ("updated", float("nan")), ("machine", 3), ("digest", "x" * 501)]
)
def test_a_beat_with_a_field_of_the_wrong_kind_is_not_one(field: tuple[str, object]) -> None:
    """Types and lengths are checked, since the values go on to people's terminals."""
    fields = json.loads(BEAT.encode()) | {field[0]: field[1]}
    assert decode(json.dumps(fields).encode()) is None


def test_the_silent_and_the_dead_are_not_alive() -> None:
    """A worker counts while it beats and, where one can look, while its process is there."""
    silent = replace(BEAT, pid=8, updated=100.0 - 16)
    dead = replace(BEAT, pid=9)
    assert alive([BEAT, silent, dead], now=100.0, silent_after_s=16, dead=lambda beat: beat.pid == 9) == [BEAT]


def test_in_step_means_every_worker_runs_it_or_what_came_after() -> None:
    """One worker on an older release, or on none that is known, is out of step."""
    ahead, behind = replace(BEAT, running=4, digest=B), replace(BEAT, running=2, digest=B)
    assert in_step([BEAT, ahead], 3, A)
    assert not in_step([BEAT, behind], 3, A)
    assert not in_step([replace(BEAT, running=0, digest="")], 3, A)


def test_a_worker_that_said_why_it_cannot_is_not_waited_for() -> None:
    """The wait for the fleet ends when everyone has spoken, for or against."""
    behind = replace(BEAT, running=2, digest=B)
    assert not settled([BEAT, behind], 3, A)
    assert settled([BEAT, replace(behind, failed=Failure(3, "swap-refused", "no"))], 3, A)
    assert not settled([BEAT, replace(behind, failed=Failure(2, "swap-refused", "no"))], 3, A)


def test_workers_are_listed_by_machine_in_a_stable_order() -> None:
    """The picture does not jump about between two looks."""
    seen = machines([replace(BEAT, machine="z"), replace(BEAT, pid=9), BEAT])
    assert [(m["machine"], [w["pid"] for w in m["workers"]]) for m in seen] == [("box", [7, 9]), ("z", [7])]


def test_long_words_are_cut() -> None:
    """A failure's message fits into a beat whatever its length, and then still is one."""
    assert decode(replace(BEAT, failed=Failure(1, "x", clip("y" * 9_000))).encode()) is not None


def test_restarts_are_the_processes_that_joined_and_are_no_more() -> None:
    """Of a machine, by what its newest process counted; unknown where none could count."""
    first = replace(BEAT, starts=1, region="iad")
    second = replace(BEAT, pid=8, starts=4, started=9.0, region="iad")
    elsewhere = replace(BEAT, machine="far")
    found = {each["machine"]: (each["region"], each["restarts"]) for each in machines([first, second, elsewhere])}
    assert found == {"box": ("iad", 2), "far": ("", None)}


def test_a_beat_of_a_later_version_counts() -> None:
    """What it says beyond what is known here is left out."""
    fields = json.loads(BEAT.encode()) | {"mood": "good"}
    assert decode(json.dumps(fields).encode()) == BEAT

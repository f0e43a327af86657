"""The waits: short after a whole file, longer at each sign that more will come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habanero_py.pace import Pace, Waits, looks_cut_off

WAITS = Waits()


def test_one_whole_file_waits_a_few_milliseconds() -> None:
    """The common save is felt as little as possible."""
    assert Pace().quiet_s(files=1, batches=1, unfinished=False) <= 0.004


def test_signs_of_more_lengthen_the_wait_in_their_order() -> None:
    """Events that go on, several files, many files and a cut-off text each wait longer than the one before."""
    pace = Pace()
    waits = [
        pace.quiet_s(files=1, batches=1, unfinished=False),
        pace.quiet_s(files=1, batches=3, unfinished=False),
        pace.quiet_s(files=3, batches=1, unfinished=False),
        pace.quiet_s(files=200, batches=1, unfinished=False),
        pace.quiet_s(files=1, batches=1, unfinished=True),
    ]
    assert waits == sorted(set(waits))


@given(files=st.integers(1, 10_000), batches=st.integers(1, 10_000), unfinished=st.booleans())
def test_no_wait_is_longer_than_what_an_unfinished_text_gets(files: int, batches: int, unfinished: bool) -> None:
    """However many events come, each of them prolongs a save by a bounded time."""
    assert 0 < Pace().quiet_s(files=files, batches=batches, unfinished=unfinished) <= WAITS.unfinished_s


def test_a_formatter_is_learned_after_two_saves() -> None:
    """Two of four saves that were written again make the next one wait for the second write."""
    pace = Pace()
    pace.began()
    pace.written_again(0.08)
    assert pace.quiet_s(files=1, batches=1, unfinished=False) == WAITS.one_file_s
    pace.began()
    pace.written_again(0.1)
    assert 0.1 < pace.quiet_s(files=1, batches=1, unfinished=False) < 0.2


def test_a_formatter_that_stopped_is_forgotten() -> None:
    """Three saves without a second write, and the wait is short again."""
    pace = Pace()
    for _ in range(4):
        pace.began()
        pace.written_again(0.1)
    for _ in range(3):
        pace.began()
    assert pace.quiet_s(files=1, batches=1, unfinished=False) == WAITS.one_file_s


def test_a_person_who_saves_twice_is_no_formatter() -> None:
    """Second saves after more than the follow-up time teach nothing."""
    pace = Pace()
    for _ in range(4):
        pace.began()
        pace.written_again(WAITS.follow_up_s + 0.01)
    assert pace.learned_s() == 0


OLD = b"def f():\n    return 1\n\n\ndef g():\n    return 2\n"


@pytest.mark.parametrize(
    ("new", "cut_off"),
    [
        (b"", True),
        (OLD[:22], True),
        (OLD[:-5], True),
        (b"import os\n" + OLD[:-1], True),
        (OLD, False),
        (OLD.replace(b"1", b"3"), False),
        (OLD + b"\n\nX = 1\n", False),
        (b"X = 1\n", False),
    ],
    ids=["empty", "first half", "no last line", "no end of line", "same", "edited", "longer", "rewritten"],
)
def test_a_text_that_may_be_cut_off_is_recognised(new: bytes, cut_off: bool) -> None:
    """Empty, a beginning of the old text, or without its last end of line: perhaps not all of it."""
    assert looks_cut_off(new, OLD) is cut_off


def test_a_file_that_was_always_like_this_is_not_cut_off() -> None:
    """Empty files and files without a last end of line are what they were."""
    assert not looks_cut_off(b"", b"")
    assert not looks_cut_off(b"x = 2", b"x = 1")

"""Long work beside the app: other threads get the interpreter sooner while it runs, and as before when it is done."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from habanero_receiver.fleet.courtesy import INTERVAL_S, courteous


@pytest.fixture(autouse=True)
def _own_interval() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.004)
    yield
    sys.setswitchinterval(before)


def test_the_interval_is_short_meanwhile() -> None:
    """And what it was afterwards, also if the work fails."""
    with pytest.raises(ZeroDivisionError), courteous():
        assert sys.getswitchinterval() == pytest.approx(INTERVAL_S)
        raise ZeroDivisionError
    assert sys.getswitchinterval() == pytest.approx(0.004)


def test_works_that_overlap_end_in_any_order() -> None:
    """The interval is short as long as one of them runs."""
    first, second = ExitStack(), ExitStack()
    first.enter_context(courteous())
    second.enter_context(courteous())
    first.close()
    assert sys.getswitchinterval() == pytest.approx(INTERVAL_S)
    second.close()
    assert sys.getswitchinterval() == pytest.approx(0.004)


def test_a_shorter_interval_of_the_app_stays() -> None:
    """An app that gives way sooner goes on doing so."""
    sys.setswitchinterval(0.00025)
    with courteous():
        assert sys.getswitchinterval() == pytest.approx(0.00025)

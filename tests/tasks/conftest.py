"""What the tests of supervised loops share: a supervisor with short pauses, and receivers that are off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from supervised import Company

from habanero_receiver import Receiver


@pytest.fixture
def company() -> Iterator[Company]:
    """Ends what the test left running."""
    company = Company()
    yield company
    company.supervisor.end()
    assert company.supervisor.wait() == []


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver that is off, and that apps which ask for this process's receiver get."""
    off = Receiver(None)
    monkeypatch.setattr(Receiver, "_of_this_process", off)
    yield off
    off.stop()

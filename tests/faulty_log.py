"""Commits that fail at a step of choice: an undo log that raises at its n-th change, and the walk over every n."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from habanero_receiver.swap import SwapFailedError, staged
from habanero_receiver.swap.undo import Step, UndoLog

_MOST = 5_000


class FaultyLog(UndoLog):
    """Raises when its n-th change is asked for; an assignment of many can fail at each of them."""

    at = -1
    error: type[BaseException] = RuntimeError

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def tick(self) -> None:
        self.count += 1
        if self.count == self.at:
            raise self.error(f"fault {self.count}")

    def do(self, step: Step, inverse: Step) -> None:
        self.tick()
        super().do(step, inverse)

    def note(self, inverse: Step) -> None:
        self.tick()
        super().note(inverse)
        self.tick()

    def do_all(self, steps: list[Step], inverses: list[Step]) -> None:
        for step, inverse in zip(steps, inverses, strict=True):
            self.do(step, inverse)


def faults(monkeypatch: pytest.MonkeyPatch, push: Callable[[], object]) -> Iterator[int]:
    """Pushes again and again, with a fault at step 1, 2, ...; yields each step that failed, and ends with a success."""
    monkeypatch.setattr(staged, "UndoLog", FaultyLog)
    for step in itertools.count(1):
        assert step < _MOST
        monkeypatch.setattr(FaultyLog, "at", step)
        try:
            push()
        except SwapFailedError:
            yield step
        else:
            return

"""What a scenario gets and gives: a folder and a seed; figures and violations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


class UnavailableError(Exception):
    """What a scenario needs is not on this machine; the message says what to install."""


@dataclass(frozen=True)
class Ground:
    """Where a scenario runs: an empty folder, the seed of its dice, and how long it is relative to the usual."""

    folder: Path
    seed: int
    scale: float = 1.0

    def times(self, usual: int) -> int:
        """A usual number of rounds at this scale, at least one."""
        return max(1, round(usual * self.scale))

    def points(self, most: int) -> Iterator[int]:
        """Every point from 1, or, at a smaller scale, a part of them: each n-th, from one that the dice choose."""
        stride = max(1, round(1 / self.scale))
        return iter(range(1 + self.seed % stride, most, stride))


@dataclass
class Outcome:
    """What came of it: what was tried, what was broken on purpose, and every promise that did not hold."""

    tried: dict[str, int] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def count(self, what: str, more: int = 1) -> None:
        """Add to what was tried."""
        self.tried[what] = self.tried.get(what, 0) + more

    def expect(self, holds: bool, otherwise: str) -> None:
        """Note a violation unless something holds."""
        if not holds:
            self.violations.append(otherwise)


@dataclass(frozen=True)
class Scenario:
    """One entry of the list: `run` raises `UnavailableError` where it cannot be run.

    `quick` is the scale at which it belongs to the quick subset; 0, and it does not.
    """

    name: str
    promise: str
    run: Callable[[Ground], Outcome]
    quick: float = 0.0

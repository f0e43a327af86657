"""What a comparison is given and what it finds. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, field

from oracle.snapshot import Graph
from oracle.units import Path


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the live process is not what it should be."""

    path: Path
    what: str
    live: str
    fresh: str

    def __str__(self) -> str:
        return f"{self.path[0]}{''.join(self.path[1:])}: {self.what}: {self.live[:200]} instead of {self.fresh[:200]}"


@dataclass(frozen=True, slots=True)
class Moment:
    """A use of the app: the process before and after it."""

    before: Graph
    after: Graph


@dataclass(slots=True)
class Verdict:
    """What a comparison found."""

    differences: list[Difference] = field(default_factory=list)
    kept: list[tuple[Path, str]] = field(default_factory=list)
    """Places that differ and may, each with the reason: used, computed or stale."""

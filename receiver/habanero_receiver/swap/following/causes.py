"""What a kept statement was computed by that a swap changes, and whether that did happen. Pure data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from habanero_receiver.swap.interpreting.values import Home
from habanero_receiver.swap.kinds import is_a

from .behaviour import does_the_same
from .constants import same_constant


@dataclass(frozen=True, slots=True)
class Cause:
    """What a statement was computed by that changes."""

    home: Home
    called: bool
    look: Callable[[], Any]
    """Gives what it is now."""
    value: Any
    """What it is while staging; of a function its code."""

    stale: Callable[[], bool] | None = None
    """Of what is kept: whether that is stale."""

    def happened(self) -> bool:
        """Whether it did change, once the swap is carried out."""
        if self.stale is not None:
            return self.stale()
        now = self.look()
        if is_a(self.value, CodeType):  # another function may have its name, and do the same
            return not (is_a(now, FunctionType) and does_the_same(self.value, now.__code__))
        if self.called or now is self.value:
            return self.called
        return not same_constant(now, self.value)

    def __str__(self) -> str:
        what = "changed" if self.stale is None else "is stale"
        return f"it {'calls' if self.called else 'reads'} {self.home[1]}, which {what}"


def called(home: Home) -> Cause:
    """A function or class that changes, and is called."""
    return Cause(home, True, lambda: None, None)


@dataclass(slots=True)
class Trace:
    """What was found on the way from one statement."""

    causes: list[Cause] = field(default_factory=list)
    filled: dict[Home, None] = field(default_factory=dict)
    """Names of the app's modules whose objects the statement could change, or that it binds."""
    written: dict[Home, None] = field(default_factory=dict)
    """Names that functions bind that it runs, or would run in their new form."""
    apart: bool = False
    """Whether there is a cause that is no name bound otherwise: what only computes does not follow that."""

"""One loop's life as its supervisor keeps it: what is declared, the phase, the run, the pause. Values, no moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from habanero_receiver.tasks.phases import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from habanero_receiver.tasks.codeprint import Codeprint
    from habanero_receiver.tasks.declared import Declaration
    from habanero_receiver.tasks.runs import Run


@dataclass(frozen=True, slots=True)
class Pace:
    """How long what is waited for. All in seconds."""

    first_pause_s: float = 0.5
    last_pause_s: float = 60.0
    steady_s: float = 60.0
    """A run that lasted this long before it raised starts with the first pause again."""
    grace_s: float = 5.0
    """How long a run that was asked to end may take before that is reported."""
    end_wait_s: float = 5.0
    """How long the end of the app waits for its loops."""


@dataclass(slots=True, eq=False)
class Life:
    """One loop's life. Written by the holder of its supervisor's lock."""

    declaration: Declaration
    phase: Phase = Phase.IDLE
    run: Run | None = None
    """The run that is under way, or else the last one."""
    pause_s: float = 0.0
    call_off: Callable[[], None] | None = None
    reported: bool = False
    was_bound: bool = False
    ended: bool = False
    """Whether the app that it ran in has ended it: declaring another of its name takes nothing from anyone."""

    @property
    def name(self) -> str:
        """The name that it was declared by."""
        return self.declaration.name

    def latest_print(self) -> Codeprint | None:
        """What its code was when its latest run called it; None if none did yet."""
        return None if self.run is None else self.run.print

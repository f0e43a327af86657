"""What follows on what in the life of a supervised loop: the table, and nothing else.

    phase      what it means                                          a run is under way
    idle       not begun yet, or ended for good                       -
    running    on the newest code                                     x
    ending     asked to end; then the next run begins                 x
    stuck      asked to end, and did not for longer than its grace    x
    pausing    it raised, and begins again when the pause is over     -
    over       it returned; new code begins it again                  -
    leaving    asked to end for good                                  x

What it does not: it starts, ends and times nothing; `supervisor` does what the table says.

The rule it upholds: a run begins only in a phase without one, so there are never two at once.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Phase(Enum):
    """Where a loop is in its life."""

    IDLE = "idle"
    RUNNING = "running"
    ENDING = "ending"
    STUCK = "stuck"
    PAUSING = "pausing"
    OVER = "over"
    LEAVING = "leaving"


class Signal(Enum):
    """What can happen to it."""

    BEGIN = "the app is up, or the loop was declared while it is"
    CHANGED = "its code is not what its last run began with"
    RETURNED = "its run returned, or was cancelled by someone"
    RAISED = "its run raised"
    REST_OVER = "the pause after an error is over"
    SLOW = "it was asked to end a grace period ago"
    END = "the app goes down, or the loop is declared no more"


class Act(Enum):
    """What is done about it."""

    NOTHING = "nothing"
    START = "begin a run"
    ASK = "ask the run to end"
    PAUSE = "wait before the next run"
    REPORT = "say that the run does not end"


class Move(NamedTuple):
    """One cell of the table: the next phase and what is done on the way."""

    phase: Phase
    act: Act = Act.NOTHING


RUNS = frozenset({Phase.RUNNING, Phase.ENDING, Phase.STUCK, Phase.LEAVING})
"""The phases in which a run is under way."""

MOVES = {
    (Phase.IDLE, Signal.BEGIN): Move(Phase.RUNNING, Act.START),
    (Phase.RUNNING, Signal.CHANGED): Move(Phase.ENDING, Act.ASK),
    (Phase.RUNNING, Signal.RETURNED): Move(Phase.OVER),
    (Phase.RUNNING, Signal.RAISED): Move(Phase.PAUSING, Act.PAUSE),
    (Phase.RUNNING, Signal.END): Move(Phase.LEAVING, Act.ASK),
    (Phase.ENDING, Signal.RETURNED): Move(Phase.RUNNING, Act.START),
    (Phase.ENDING, Signal.RAISED): Move(Phase.RUNNING, Act.START),
    (Phase.ENDING, Signal.SLOW): Move(Phase.STUCK, Act.REPORT),
    (Phase.ENDING, Signal.END): Move(Phase.LEAVING),
    (Phase.STUCK, Signal.RETURNED): Move(Phase.RUNNING, Act.START),
    (Phase.STUCK, Signal.RAISED): Move(Phase.RUNNING, Act.START),
    (Phase.STUCK, Signal.CHANGED): Move(Phase.ENDING, Act.ASK),
    (Phase.STUCK, Signal.END): Move(Phase.LEAVING, Act.ASK),
    (Phase.PAUSING, Signal.REST_OVER): Move(Phase.RUNNING, Act.START),
    (Phase.PAUSING, Signal.CHANGED): Move(Phase.RUNNING, Act.START),
    (Phase.PAUSING, Signal.END): Move(Phase.IDLE),
    (Phase.OVER, Signal.CHANGED): Move(Phase.RUNNING, Act.START),
    (Phase.OVER, Signal.END): Move(Phase.IDLE),
    (Phase.LEAVING, Signal.RETURNED): Move(Phase.IDLE),
    (Phase.LEAVING, Signal.RAISED): Move(Phase.IDLE),
    (Phase.LEAVING, Signal.SLOW): Move(Phase.LEAVING, Act.REPORT),
    (Phase.LEAVING, Signal.BEGIN): Move(Phase.ENDING),
}
"""Every move there is. A signal that is not in the row of a phase changes nothing there."""


def move(phase: Phase, signal: Signal) -> Move:
    """Give what follows on `signal` in `phase`."""
    return MOVES.get((phase, signal), Move(phase))

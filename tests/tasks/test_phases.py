"""The table of a loop's life, walked whole."""

from __future__ import annotations

import itertools

import pytest

from habanero_receiver.tasks.phases import MOVES, RUNS, Act, Move, Phase, Signal, move

CELLS = list(itertools.product(Phase, Signal))


@pytest.mark.parametrize(("phase", "signal"), CELLS, ids=lambda item: item.name.lower())
def test_a_run_begins_only_where_none_is_under_way(phase: Phase, signal: Signal) -> None:
    """Never two at once: a start comes from a phase without a run, or from the very end of one."""
    reached = move(phase, signal)
    over = signal in (Signal.RETURNED, Signal.RAISED)
    if reached.act is Act.START:
        assert reached.phase is Phase.RUNNING and (phase not in RUNS or over)
    elif over:
        assert reached.phase not in RUNS or phase not in RUNS
    else:
        assert (phase in RUNS) == (reached.phase in RUNS)


@pytest.mark.parametrize("phase", Phase, ids=lambda item: item.name.lower())
def test_what_is_to_end_does_not_begin_again(phase: Phase) -> None:
    """After the end of the app nothing but its beginning starts a loop, whatever else happens."""
    reached = move(phase, Signal.END).phase
    for signal in Signal:
        if signal is not Signal.BEGIN:
            after = move(reached, signal)
            assert after.act is not Act.START and after.phase in (Phase.IDLE, Phase.LEAVING)


def test_a_loop_is_asked_only_where_it_runs() -> None:
    """Asking, reporting and pausing are about a run."""
    for (phase, _), reached in MOVES.items():
        if reached.act in (Act.ASK, Act.REPORT, Act.PAUSE):
            assert phase in RUNS


def test_a_signal_that_says_nothing_changes_nothing() -> None:
    """A second beginning, or a timer that is late, is no event."""
    assert move(Phase.RUNNING, Signal.BEGIN) == Move(Phase.RUNNING)
    assert move(Phase.PAUSING, Signal.SLOW) == Move(Phase.PAUSING)
    assert move(Phase.ENDING, Signal.CHANGED) == Move(Phase.ENDING)


def test_every_phase_can_be_reached_and_left() -> None:
    """No phase is a trap."""
    reached = {Phase.IDLE}
    for _ in Phase:
        reached |= {to.phase for (phase, _), to in MOVES.items() if phase in reached}
    assert reached == set(Phase)
    assert {phase for phase, _ in MOVES} == set(Phase)

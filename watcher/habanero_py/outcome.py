"""What came of a push, or of a step of it, as events: live, withdrawn, out of step, failed at the gate, not parsed.

Pure: answers and results in, events out. The rule it upholds: what runs is said by its number, also when the newest
release is not what runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from habanero_py import events as e
from habanero_py.compose import View
from habanero_py.errors import SyntaxFoundError
from habanero_py.gate import GateResult
from habanero_py.remote import PushAnswer
from habanero_receiver.errors import OUT_OF_STEP, ROLLED_BACK
from habanero_receiver.release.statement import MAX_SUMMARY_CHARS

LIVE = 0


def steps(answer: PushAnswer, seq: int) -> list[e.MachineStep]:
    """How far each machine got with release `seq`."""
    return [
        e.MachineStep(
            machine.machine,
            seq,
            len(machine.workers),
            sum(worker.running == seq for worker in machine.workers),
            tuple(f"pid {worker.pid}: {worker.failed}" for worker in machine.workers if worker.failed),
        )
        for machine in answer.machines
    ]


def ended(answer: PushAnswer, seq: int, seconds: float, total: float, same: int | None) -> tuple[e.Event, int]:
    """How a push ended, and the exit code. `seconds` is since it was sent, `total` since the save."""
    if answer.withdrawn is not None and answer.withdrawn.push == seq:
        return withdrawn(answer.withdrawn, answer.machines), ROLLED_BACK
    done = steps(answer, seq)
    workers = sum(step.workers for step in done)
    if not answer.in_step:
        return e.OutOfStep(seq, workers, sum(step.applied for step in done)), OUT_OF_STEP
    live = e.Live(
        push=seq,
        workers=workers,
        seconds=round(seconds, 4),
        total=round(total, 4),
        units=answer.counts(),
        stale=answer.stale(),
        doubled=answer.doubled(),
        same_code_as=same,
        server=answer.seconds or None,
        report=answer.modules,
    )
    return live, LIVE


def unchanged(view: View) -> e.Unchanged:
    """Nothing differs from the head, which is what runs unless it was withdrawn."""
    return e.Unchanged(view.running, None if view.withdrawn is None else view.head.seq)


def withdrawn(found: e.Withdrawal, machines: Sequence[e.Machine]) -> e.Withdrawn:
    """That a release was taken back, and how far."""
    in_step = all(worker.running == found.runs for machine in machines for worker in machine.workers)
    return e.Withdrawn(found.push, found.runs, found.reason, found.machine, found.at, machines, in_step)


def gate_finished(run: GateResult, view: View) -> e.GateFinished:
    """How the gate ended; its output only when it failed."""
    return e.GateFinished(
        ok=run.ok,
        summary=run.summary,
        seconds=round(run.seconds, 4),
        running=view.running,
        output=None if run.ok else run.output,
        log=None if run.ok else str(run.log),
    )


def syntax_found(error: SyntaxFoundError, shown: str, view: View) -> e.SyntaxFound:
    """The first place that does not parse; `shown` is its file as the project calls it."""
    problem = error.problems[0]
    return e.SyntaxFound(
        path=shown,
        line=problem.line,
        column=problem.column,
        message=problem.message,
        text=problem.text,
        running=view.running,
    )


def summary(text: str) -> str | None:
    """A gate's own words as a statement may hold them: one printable line, or none."""
    return "".join(char for char in text if char.isprintable())[:MAX_SUMMARY_CHARS].strip() or None

"""The fleet for a person: what every worker runs, an error from production, a release that was withdrawn.

Pure: events in, lines out.
"""

from __future__ import annotations

from habanero_py.events import Machine, ProductionError, Status, Unchanged, Withdrawn, Worker

from .text import MARGIN, Symbols, ago, clean, clean_line, clock, columns, count, names, release

CONDEMNED = "condemned"
"""The code of a worker that runs what is to run in place of a release that was withdrawn: told once, for all."""
MAX_LINES = 40


def status(event: Status, symbols: Symbols) -> list[str]:
    """One head line, one row for a machine, the workers that failed below theirs."""
    workers = [worker for machine in event.machines for worker in machine.workers]
    current = sum(worker.running == event.goal for worker in workers)
    same = f" (same code as {release(event.same_code_as)})" if event.same_code_as is not None else ""
    step = "in step" if event.in_step else "OUT OF STEP"
    runs = f" withdrawn, {release(event.goal)} runs" if event.withdrawn is not None else ""
    lines = [
        (
            f"{event.app} {symbols.arrow} {event.environment}   {release(event.head)}{same}{runs}   "
            f"{current}/{len(workers)} workers {step}"
        )
    ]
    table = _table(event)
    for index, line in enumerate(columns([row for row, _ in table])):
        lines += [line, *table[index][1]]
    author = f"   head by {clean_line(event.author)}, {ago(event.issued, event.now)}" if event.author else ""
    return [*lines, *_verdict(event), *_head(event), *_deployed(event), f"base {clean_line(event.base)[:19]}{author}"]


def _deployed(event: Status) -> list[str]:
    """What of the last release before a deployment is in it, and what is not."""
    found = event.deployed
    if found is None:
        return []
    had = count(len(found.already) + len(found.lost), "module")
    lines = [f"deployed anew: {release(found.push)}, the last over base {clean_line(found.before)[:19]}, had {had}"]
    if found.already:
        lines.append(f"  already in base   {names(found.already, 6)}")
    if found.lost:
        lines.append(f"  NOT in base       {names(found.lost, 6)}")
        lines.append("  help: the deployment took these back; habanero-py push brings back what your tree has of them")
    return lines


def _head(event: Status) -> list[str]:
    """What a person has to know of the head itself."""
    lines = []
    if event.frozen:
        why = f": {clean_line(event.reason)}" if event.reason else ""
        lines.append(f"FROZEN{why}   nothing is pushed until habanero-py unfreeze")
    if not event.trusted:
        said = "is signed by no key that is trusted today: a restart begins on what came before it"
        lines.append(f"{release(event.head)} {said}")
        lines.append("  help: habanero-py sign --head signs it again, habanero-py rollback takes it back")
    return lines


def _table(event: Status) -> list[tuple[tuple[str, ...], list[str]]]:
    """A row for each machine with the notes below it, the heading first. Where no machine says a region, no column."""
    regions = any(machine.region for machine in event.machines)
    region = ("REGION",) if regions else ()
    heading = ("MACHINE", *region, "WORKERS", "RUNNING", "SINCE", "UPTIME", "RESTARTS")
    table: list[tuple[tuple[str, ...], list[str]]] = [(heading, [])]
    for machine in event.machines:
        applied = sum(worker.running == event.goal for worker in machine.workers)
        running = sorted({worker.running for worker in machine.workers})
        row = (
            clean_line(machine.machine, 40),
            *((clean_line(machine.region, 20) or "-",) if regions else ()),
            f"{applied}/{len(machine.workers)}",
            " ".join(release(seq) for seq in running) or "-",
            clock(max((worker.since for worker in machine.workers), default=""), event.now),
            ago(min((worker.started for worker in machine.workers), default=None), event.now).removesuffix(" ago"),
            _restarts(machine, event.goal),
        )
        table.append((row, [_note(worker) for worker in machine.workers if worker.failed and worker.code != CONDEMNED]))
    return table


def _note(worker: Worker) -> str:
    return f"          pid {worker.pid} at {release(worker.running)}: {clean_line(worker.failed or '')}"


def _restarts(machine: Machine, goal: int) -> str:
    """How many processes were replaced, and whether the newest came up on the release that is to run."""
    if machine.restarts is None:
        return "-"
    newest = max(machine.workers, key=lambda worker: worker.started, default=None)
    if machine.restarts and goal and newest is not None and newest.booted == goal:
        return f"{machine.restarts} (re-applied {release(goal)} at boot)"
    return str(machine.restarts)


def _verdict(event: Status) -> list[str]:
    found = event.withdrawn
    if found is None:
        return []
    when = ago(found.at, event.now)
    said = f"{release(found.push)} withdrawn {when} by {clean_line(found.machine)}: {clean_line(found.reason)}"
    return [said, *_way_on(found.push)]


def _way_on(push: int) -> list[str]:
    return [
        "  help: push a fix: it goes live as the next release",
        f"        habanero-py clear          if it was not the release's fault: has {release(push)} tried again",
    ]


def unchanged(event: Unchanged, target: str) -> str:
    """That there is nothing to push; of a head that was withdrawn, what to do about it."""
    if event.withdrawn is None:
        return f"nothing to push: {target} runs this code ({release(event.running)})"
    return (
        f"nothing to push: this is {release(event.withdrawn)}, which was withdrawn; {target} runs "
        f"{release(event.running)} (habanero-py clear has it tried again)"
    )


def in_words(event: Status) -> str:
    """The fleet on one line: how many run what they are to run, and who does not."""
    workers = [(machine.machine, worker) for machine in event.machines for worker in machine.workers]
    late = [f"{clean_line(name)} pid {worker.pid} at {release(worker.running)}"
            for name, worker in workers if worker.running != event.goal]  # fmt: skip
    return f"{len(workers) - len(late)}/{len(workers)} workers at {release(event.goal)}" + (
        f"; {names(late)}" if late else ""
    )


def production_error(event: ProductionError, symbols: Symbols) -> list[str]:
    """What was raised, where in which release, on which worker, and the traceback with its source lines."""
    said = f"{event.kind}: {event.message}" if event.message else event.kind
    times = f", {event.times} times" if event.times > 1 else ""
    trace = clean(event.traceback).rstrip("\n").split("\n")[-MAX_LINES:]
    return [
        f"{symbols.fail} {clean_line(said, 200)}   {release(event.push)} in production",
        f"  --> {clean_line(event.place)}   {clean_line(event.where)}",
        f"      {clean_line(event.machine)} pid {event.pid}{times}",
        *(f"  | {line}" for line in trace),
    ]


def withdrawn(event: Withdrawn, target: str, symbols: Symbols) -> list[str]:
    """That a release was taken back and why, how far each machine is, and what runs now."""
    rows = [_back(machine, event.runs) for machine in event.machines]
    workers = [worker for machine in event.machines for worker in machine.workers]
    current = sum(worker.running == event.runs for worker in workers)
    step = "" if event.in_step else "   OUT OF STEP"
    return [
        f"{MARGIN}{symbols.fail} {release(event.push)} withdrawn: {clean_line(event.reason)}",
        *(f"{MARGIN}  {line}" for line in (columns(rows) if rows else [])),
        f"{MARGIN}{target}: {current}/{len(workers)} workers at {release(event.runs)}{step}",
        *_way_on(event.push),
    ]


def _back(machine: Machine, runs: int) -> tuple[str, str]:
    back = sum(worker.running == runs for worker in machine.workers)
    return clean_line(machine.machine, 40), f"{back}/{len(machine.workers)} back at {release(runs)}"

"""What the workers do, as events: how far a release got, what each runs, the errors that came out of its code.

Pure data, as all events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from .event import Event


@dataclass(frozen=True, slots=True)
class MachineStep(Event):
    """One machine's workers, as the server tells it."""

    EVENT: ClassVar[str] = "machine"
    machine: str
    push: int
    workers: int
    applied: int
    failures: Sequence[str] = ()
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class OutOfStep(Event):
    """The release is recorded, but not every worker runs it."""

    EVENT: ClassVar[str] = "out-of-step"
    push: int
    workers: int
    applied: int


@dataclass(frozen=True, slots=True)
class Worker:
    """One process of the application. `failed` says why it does not run what it should, `code` that error's code.

    `booted` is the release that it started on, None where that is not known.
    """

    pid: int
    running: int
    since: str
    started: str
    failed: str | None = None
    code: str | None = None
    booted: int | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine and its processes.

    `region` is where it is, if its settings say; `restarts` how many of its processes ended over this base and were
    replaced, None where its own folder does not outlive them.
    """

    machine: str
    workers: Sequence[Worker]
    region: str = ""
    restarts: int | None = None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Release `push` was found bad, and `runs` runs in its place: why, which machine said so, and when."""

    push: int
    runs: int
    reason: str
    machine: str
    at: str


@dataclass(frozen=True, slots=True)
class Deployed:
    """What became of release `push`, the last over the base `before`, when other code was deployed.

    `already` are its modules that the deployed code holds as they were released, `lost` those that it does not.
    """

    before: str
    push: int
    already: Sequence[str]
    lost: Sequence[str]


@dataclass(frozen=True, slots=True)
class Status(Event):
    """What every worker runs, as the server tells it. `same_code_as` is set when the head is a rollback.

    `withdrawn` is the verdict on the head, if something else is to run in its place. `waiting` says that the command
    goes on looking until they are in step. `frozen`: nothing may be pushed on top of the head, for `reason` if that was
    given; `trusted`: enough keys that the server trusts today signed the head. `deployed` is what a new deployment did
    to the releases before it, while nothing was pushed over it.
    """

    EVENT: ClassVar[str] = "status"
    app: str
    environment: str
    target: str
    base: str
    head: int
    author: str | None
    issued: str | None
    in_step: bool
    machines: Sequence[Machine]
    same_code_as: int | None = None
    withdrawn: Withdrawal | None = None
    now: str | None = None
    waiting: bool = False
    frozen: bool = False
    reason: str | None = None
    trusted: bool = True
    deployed: Deployed | None = None

    @property
    def goal(self) -> int:
        """The release that every process is to run."""
        return self.head if self.withdrawn is None else self.withdrawn.runs

    def to_json(self) -> dict[str, object]:
        """As every event; machines and workers become plain objects."""
        machines = [asdict(machine) for machine in self.machines]
        withdrawn = {} if self.withdrawn is None else {"withdrawn": asdict(self.withdrawn)}
        deployed = {} if self.deployed is None else {"deployed": asdict(self.deployed)}
        return Event.to_json(self) | {"machines": machines} | withdrawn | deployed


@dataclass(frozen=True, slots=True)
class ProductionError(Event):
    """An exception that came out of released code in production, told once for each kind of error and worker.

    `push` is the release that brought the code, `place` the innermost line of it as "module.function:line", `where` the
    request, loop or thread that it ended. `times` is how often it was seen up to now.
    """

    EVENT: ClassVar[str] = "production-error"
    push: int
    kind: str
    message: str
    place: str
    where: str
    machine: str
    pid: int
    times: int
    traceback: str
    last: str


@dataclass(frozen=True, slots=True)
class Withdrawn(Event):
    """A release was withdrawn: the fleet fell back to the one that ran before. `in_step`: every worker has."""

    EVENT: ClassVar[str] = "withdrawn"
    push: int
    runs: int
    reason: str
    machine: str
    at: str
    machines: Sequence[Machine] = ()
    in_step: bool = True

    def to_json(self) -> dict[str, object]:
        """As every event; machines and workers become plain objects."""
        return Event.to_json(self) | {"machines": [asdict(machine) for machine in self.machines]}

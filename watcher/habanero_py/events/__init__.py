"""What happens on the way of a change, as values: the terminal, the log and `--json` read the same stream.

Pure data without a clock: a reader stamps what it shows. The rule it upholds: whatever a person is told, a program
is told too, under a stable name (`EVENT`) and stable fields. Seconds are floats, digests "sha256:<hex>", releases
sequence numbers (0 is the base, the code as deployed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from .event import SCHEMA_VERSION, Event, Reader
from .fleet import (
    Deployed,
    Machine,
    MachineStep,
    OutOfStep,
    ProductionError,
    Status,
    Withdrawal,
    Withdrawn,
    Worker,
)
from .history import (
    Confirmation,
    Drift,
    Drifted,
    LogEntry,
    ModuleDiff,
    OldBase,
    Problem,
    Pruned,
    Shown,
    ShownBase,
    ShownModule,
    Verdict,
    Verified,
)
from .keys import KeyRow, Keys, Pending, PendingModule, PendingShown, RoleRow

__all__ = [
    "SCHEMA_VERSION",
    "Changed",
    "Check",
    "Confirmation",
    "Deployed",
    "Drift",
    "Drifted",
    "DryRun",
    "Event",
    "Explained",
    "GateAgain",
    "GateFinished",
    "GateStarted",
    "Initialised",
    "KeyRow",
    "Keys",
    "Live",
    "LogEntry",
    "Machine",
    "MachineStep",
    "ModuleDiff",
    "Notice",
    "OldBase",
    "OutOfStep",
    "Pending",
    "PendingModule",
    "PendingShown",
    "Problem",
    "ProductionError",
    "Pruned",
    "Pushing",
    "Reader",
    "Ready",
    "Redeployed",
    "Refused",
    "RoleRow",
    "RollbackPlan",
    "Shown",
    "ShownBase",
    "ShownModule",
    "Status",
    "SyntaxFound",
    "Unchanged",
    "Verdict",
    "Verified",
    "Withdrawal",
    "Withdrawn",
    "Worker",
]


@dataclass(frozen=True, slots=True)
class Ready(Event):
    """The command knows the server and begins. `running` is what that is to run, `withdrawn` a newer one, if any."""

    EVENT: ClassVar[str] = "ready"
    app: str
    environment: str
    machines: int
    workers: int
    running: int
    in_step: bool
    watching: Sequence[str]
    files: int
    gate: Sequence[str]
    gate_timeout_s: float
    author: str
    key: str
    withdrawn: int | None = None


@dataclass(frozen=True, slots=True)
class Changed(Event):
    """Files settled after a save. Paths are relative to the project."""

    EVENT: ClassVar[str] = "change"
    paths: Sequence[str]


@dataclass(frozen=True, slots=True)
class GateStarted(Event):
    """The user's test command runs."""

    EVENT: ClassVar[str] = "gate-started"
    command: str


@dataclass(frozen=True, slots=True)
class GateFinished(Event):
    """The gate ended. `output` is its text, only when it failed; `log` is where all of it lies."""

    EVENT: ClassVar[str] = "gate"
    ok: bool
    summary: str
    seconds: float
    running: int
    output: str | None = None
    log: str | None = None


@dataclass(frozen=True, slots=True)
class GateAgain(Event):
    """A file changed while the gate ran: what it tested is not what would be signed."""

    EVENT: ClassVar[str] = "gate-again"
    paths: Sequence[str]


@dataclass(frozen=True, slots=True)
class SyntaxFound(Event):
    """A file does not parse; neither the gate nor anything after it was run."""

    EVENT: ClassVar[str] = "syntax"
    path: str
    line: int
    column: int
    message: str
    text: str
    running: int


@dataclass(frozen=True, slots=True)
class Pushing(Event):
    """A signed release leaves this machine. `bytes` is the whole request."""

    EVENT: ClassVar[str] = "push"
    push: int
    base: int
    modules: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Live(Event):
    """The release runs on every worker. `seconds` is from the first byte sent; `total` from the save.

    `report` tells per module what was patched, run, kept, stale, doubled, removed and migrated.
    """

    EVENT: ClassVar[str] = "live"
    push: int
    workers: int
    seconds: float
    total: float
    units: Mapping[str, int]
    stale: Sequence[str] = ()
    doubled: Sequence[str] = ()
    same_code_as: int | None = None
    server: Mapping[str, float] | None = None
    report: Sequence[Mapping[str, object]] = ()


@dataclass(frozen=True, slots=True)
class Redeployed(Event):
    """Other code was deployed while this command ran: the tree is compared with that from now on.

    `saved` are the modules of this change, `more` what else differs from the new deployment, each as "module: word",
    the word being what a push of it would do: added, changed or deleted.
    """

    EVENT: ClassVar[str] = "redeployed"
    base: str
    saved: Sequence[str]
    more: Sequence[str]


@dataclass(frozen=True, slots=True)
class Unchanged(Event):
    """Nothing differs from the newest release. `withdrawn` is its number when it is not what runs."""

    EVENT: ClassVar[str] = "unchanged"
    running: int
    withdrawn: int | None = None


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """An error, the server's or ours, with its stable code. The code that ran before still runs.

    `traceback` is that of the pushed code when it raised on the server, never one of ours.
    """

    EVENT: ClassVar[str] = "refused"
    code: str
    message: str
    exit: int
    subject: str | None = None
    help: str | None = None
    running: int | None = None
    by_server: bool = False
    refusals: Sequence[Mapping[str, object]] = ()
    traceback: str | None = None


@dataclass(frozen=True, slots=True)
class DryRun(Event):
    """What the server would do with the release; it staged it and threw it away."""

    EVENT: ClassVar[str] = "dry-run"
    push: int
    running: int
    modules: Sequence[Mapping[str, object]]
    seconds: float


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """One line worth knowing that is no error."""

    EVENT: ClassVar[str] = "notice"
    text: str
    help: str | None = None


@dataclass(frozen=True, slots=True)
class Explained(Event):
    """What an error code means. `status` is the HTTP status, None for a code that stays on one machine."""

    EVENT: ClassVar[str] = "explain"
    code: str
    title: str
    status: int | None
    exit: int
    meaning: str
    advice: str
    causes: str | None


@dataclass(frozen=True, slots=True)
class RollbackPlan(Event):
    """What a rollback would change, before it is asked for or sent."""

    EVENT: ClassVar[str] = "rollback-plan"
    running: int
    restores: int
    modules: Sequence[str]
    author: str | None
    issued: str | None


@dataclass(frozen=True, slots=True)
class Check(Event):
    """One thing that `doctor` looked at."""

    EVENT: ClassVar[str] = "check"
    name: str
    ok: bool
    text: str
    help: str | None = None


@dataclass(frozen=True, slots=True)
class Initialised(Event):
    """A project was set up. `server` are the lines for the server's environment, `embed` for the application."""

    EVENT: ClassVar[str] = "init"
    target: str
    key: str
    keyid: str
    made_key: bool
    wrote: Sequence[str]
    server: Mapping[str, str]
    embed: Sequence[str]
    name: str

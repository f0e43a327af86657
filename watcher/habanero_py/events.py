"""What happens on the way of a change, as values: the terminal, the log and `--json` read the same stream.

Pure data without a clock: a reader stamps what it shows. The rule it upholds: whatever a person is told, a program
is told too, under a stable name (`EVENT`) and stable fields. Seconds are floats, digests "sha256:<hex>", releases
sequence numbers (0 is the base, the code as deployed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import ClassVar, Protocol

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    EVENT: ClassVar[str] = "event"

    def to_json(self) -> dict[str, object]:
        """The event's name and its fields; fields that are None are left out."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"event": self.EVENT} | {name: value for name, value in values.items() if value is not None}


class Reader(Protocol):
    """Something that shows events. Called from one thread at a time."""

    def show(self, event: Event) -> None:
        """Show it now."""

    def close(self) -> None:
        """Leave the terminal as it was."""


@dataclass(frozen=True, slots=True)
class Ready(Event):
    """The command knows the server and begins. `running` is what the server runs."""

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
class Live(Event):
    """The release runs on every worker. `seconds` is from the first byte sent; `total` from the save."""

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
    """Nothing differs from what the server runs."""

    EVENT: ClassVar[str] = "unchanged"
    running: int


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
class OutOfStep(Event):
    """The release is recorded, but not every worker runs it."""

    EVENT: ClassVar[str] = "out-of-step"
    push: int
    workers: int
    applied: int


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
class Worker:
    """One process of the application. `failed` says why it does not run what it should."""

    pid: int
    running: int
    since: str
    started: str
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine and its processes."""

    machine: str
    workers: Sequence[Worker]


@dataclass(frozen=True, slots=True)
class Status(Event):
    """What every worker runs, as the server tells it. `same_code_as` is set when the head is a rollback.

    `waiting` says that the command goes on looking until they are in step.
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
    now: str | None = None
    waiting: bool = False

    def to_json(self) -> dict[str, object]:
        """As every event; machines and workers become plain objects."""
        machines = [
            {"machine": machine.machine, "workers": [asdict(worker) for worker in machine.workers]}
            for machine in self.machines
        ]
        return Event.to_json(self) | {"machines": machines}


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How many of a machine's workers ran a release when its push was answered, and how many there were."""

    machine: str
    applied: int
    workers: int


@dataclass(frozen=True, slots=True)
class LogEntry(Event):
    """One release of the journal. `modules` are those that it changed, None when that is not known any more.

    `git` is the commit, `dirty` whether more than it was released; `gate` the command, with its exit code and what it
    said of itself; `confirmed` who ran it when its push was answered, as the server noted it.
    """

    EVENT: ClassVar[str] = "release"
    push: int
    kind: str
    issued: str
    author: str
    modules: Sequence[str] | None
    git: str | None = None
    dirty: bool | None = None
    gate: str | None = None
    gate_exit: int | None = None
    gate_summary: str | None = None
    restores: int | None = None
    confirmed: Sequence[Confirmation] = ()
    running: bool = False

    def to_json(self) -> dict[str, object]:
        """As every event; machines become plain objects."""
        return Event.to_json(self) | {"confirmed": [asdict(machine) for machine in self.confirmed]}


@dataclass(frozen=True, slots=True)
class ShownModule:
    """A module of a release. `change` is added, changed, deleted or empty against the release before.

    `source` and `before` are sha256 digests of what runs with it and of what ran before it; None where nothing does.
    """

    module: str
    change: str
    source: str | None
    before: str | None
    size: int | None
    overlay: bool


@dataclass(frozen=True, slots=True)
class Shown(Event):
    """All of one release. `keyids` are the keys that its envelope names; `verify` tells whether they hold."""

    EVENT: ClassVar[str] = "show"
    entry: LogEntry
    digest: str
    prev: str
    base: str
    manifest: str
    python: str
    accept_until: str
    keyids: Sequence[str]
    modules: Sequence[ShownModule]
    now: str

    def to_json(self) -> dict[str, object]:
        """The entry's fields and these, flat."""
        mine = {name: getattr(self, name) for name in ("digest", "prev", "base", "manifest", "python", "accept_until")}
        return (
            self.entry.to_json()
            | {"event": self.EVENT, "keyids": list(self.keyids)}
            | mine
            | {"modules": [asdict(module) for module in self.modules]}
        )


@dataclass(frozen=True, slots=True)
class ShownBase(Event):
    """The code as deployed: its fingerprint, and the sha256 of each module's source."""

    EVENT: ClassVar[str] = "show-base"
    base: str
    modules: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ModuleDiff(Event):
    """One module of a difference: a unified diff, or nothing but the digests when a side is no text."""

    EVENT: ClassVar[str] = "diff"
    module: str
    old: str
    new: str
    change: str
    diff: str


@dataclass(frozen=True, slots=True)
class Drifted:
    """A module that is not everywhere the same. Digests are sha256 of its source, None where it does not exist.

    `words` are of: only-in-production, not-in-production, uncommitted (production runs what lies in the working tree
    and HEAD does not have), differs-from-head, differs-from-tree.
    """

    module: str
    path: str
    words: Sequence[str]
    production: str | None
    head: str | None
    tree: str | None


@dataclass(frozen=True, slots=True)
class Drift(Event):
    """What production runs at release `running`, against git. `compared` is how many modules production has."""

    EVENT: ClassVar[str] = "drift"
    running: int
    compared: int
    modules: Sequence[Drifted]

    def to_json(self) -> dict[str, object]:
        """As every event; modules become plain objects."""
        return Event.to_json(self) | {"modules": [asdict(module) for module in self.modules]}


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
class OldBase:
    """The journal of code that was deployed once: how many releases it has, and when the last one was issued."""

    base: str
    entries: int
    newest: str | None


@dataclass(frozen=True, slots=True)
class Pruned(Event):
    """What a prune would remove, or when `done` what it did. The entries of the live base's journal always stay."""

    EVENT: ClassVar[str] = "prune"
    done: bool
    days: int
    keep: int
    releases: Sequence[int]
    bases: Sequence[OldBase]
    blobs: int

    def to_json(self) -> dict[str, object]:
        """As every event; bases become plain objects."""
        return Event.to_json(self) | {"bases": [asdict(base) for base in self.bases]}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that `verify` found: a code of docs/errors.md, the release or worker that has it, what it is."""

    code: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Verified(Event):
    """What `verify` looked at and what it found.

    `untrusted` are problems of the journal and its blobs, `deviating` are workers that run something else. `compared`
    is how many functions and constants of how many live modules were looked at in all workers.
    """

    EVENT: ClassVar[str] = "verify"
    head: int
    digest: str
    base: str
    releases: int
    blobs: int
    pruned: int
    signers: Sequence[str]
    workers: int
    modules: int
    compared: int
    untrusted: Sequence[Problem]
    deviating: Sequence[Problem]
    seconds: float

    def to_json(self) -> dict[str, object]:
        """As every event; problems become plain objects."""
        found = {name: [asdict(problem) for problem in getattr(self, name)] for name in ("untrusted", "deviating")}
        return Event.to_json(self) | found


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

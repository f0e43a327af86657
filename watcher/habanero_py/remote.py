"""What a server answers, as values: its state, its base, its keys, what runs, the result of a push.

Pure: parsed JSON in, values out. The server is the one the person named and TLS vouches for it, but its answers are
still only bytes: what does not have the expected form is an error that says so, never a crash further on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from habanero_py.answers import (
    as_list,
    as_object,
    get,
    get_int,
    get_optional,
    get_text,
    get_words,
    unexpected,
)
from habanero_py.events import KeyRow, Machine, RoleRow, Withdrawal
from habanero_py.remote_fleet import parse_machines, parse_withdrawn
from habanero_receiver.errors import RequestError
from habanero_receiver.release.statement import PythonTag


@dataclass(frozen=True, slots=True)
class Head:
    """The newest release of the journal. seq 0 is the base, whose digest is the base fingerprint.

    `frozen`: nothing may be pushed on top of it. `trusted`: enough keys that the server trusts today signed it.
    """

    seq: int
    digest: str
    issued: str | None = None
    author: str | None = None
    frozen: bool = False
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class ServerState:
    """GET /v1/state. `threshold` people sign a release, which may wait for `max_window_s` seconds at most."""

    target: str
    base: str
    python: PythonTag
    head: Head
    running: int
    modules: tuple[str, ...]
    machines: tuple[Machine, ...]
    threshold: int = 1
    max_window_s: int = 300
    withdrawn: Withdrawal | None = None

    @property
    def goal(self) -> int:
        """The release that every process is to run: the head, or what runs in place of a head that was withdrawn."""
        return self.head.seq if self.withdrawn is None else self.withdrawn.runs

    @property
    def workers(self) -> int:
        """How many processes are alive."""
        return sum(len(machine.workers) for machine in self.machines)

    @property
    def in_step(self) -> bool:
        """Whether every process runs what it is to run."""
        return all(worker.running == self.goal for machine in self.machines for worker in machine.workers)


@dataclass(frozen=True, slots=True)
class BaseModule:
    """One module as it lies on the server's disk. `path` is relative to its source root."""

    package: bool
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ModuleCode:
    """What a worker found one of its modules to be: the sha256 of its source, None for no version that it knows.

    `compared` is how many functions and constants were looked at, `deviating` names a few that are others.
    """

    source: str | None
    loaded: bool
    compared: int
    deviating: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkerCode:
    """What one worker runs; `modules` is None when it did not answer."""

    machine: str
    pid: int
    modules: Mapping[str, ModuleCode] | None


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """POST /v1/push and /v1/check."""

    seq: int
    digest: str
    already_applied: bool
    modules: tuple[Mapping[str, object], ...]
    machines: tuple[Machine, ...]
    in_step: bool
    withdrawn: Withdrawal | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """How many units were patched, run, removed, ... over all modules."""
        totals: dict[str, int] = {}
        for module in self.modules:
            for outcome, units in module.items():
                if isinstance(units, list) and units:
                    totals[outcome] = totals.get(outcome, 0) + len(units)
        return totals

    def stale(self) -> tuple[str, ...]:
        """The live values that were computed from what changed and were kept, as "module: unit"."""
        return _units(self.modules, "stale")

    def doubled(self) -> tuple[str, ...]:
        """What may be registered twice, as "module: container: entry"."""
        return _units(self.modules, "doubled")


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """GET /v1/keys: whom the server trusts, with what. `roles` None: it has no such list, and everybody may all."""

    target: str
    threshold: int
    keys: tuple[KeyRow, ...]
    revoked: tuple[str, ...]
    roles: tuple[RoleRow, ...] | None


def _units(modules: Iterable[Mapping[str, object]], outcome: str) -> tuple[str, ...]:
    return tuple(f"{m.get('module')}: {unit}" for m in modules for unit in as_list(m.get(outcome, []), outcome))


def parse_state(answer: object) -> ServerState:
    """Raises unexpected-answer, as all of these do."""
    data = as_object(answer, "state")
    try:
        python = PythonTag.from_json(get(data, "python"))
    except RequestError as error:
        raise unexpected("python", error.message) from error
    head = as_object(get(data, "head"), "head")
    running = as_object(data.get("running") or {}, "running")
    return ServerState(
        target=get_text(data, "target"),
        base=get_text(data, "base"),
        python=python,
        head=Head(
            seq=get_int(head, "seq"),
            digest=get_text(head, "digest"),
            issued=get_optional(head, "issued"),
            author=get_optional(head, "author") or None,
            frozen=head.get("frozen") is True,
            trusted=head.get("trusted") is not False,
        ),
        running=get_int(running, "seq") if running else get_int(head, "seq"),
        modules=tuple(str(name) for name in as_list(data.get("modules", []), "modules")),
        machines=parse_machines(data.get("machines", [])),
        withdrawn=parse_withdrawn(data.get("withdrawn")),
        threshold=get_int(data, "threshold"),
        max_window_s=get_int(data, "max_window_s"),
    )


def parse_keys(answer: object) -> ServerKeys:
    """GET /v1/keys."""
    data = as_object(answer, "keys")
    roles = data.get("roles")
    return ServerKeys(
        target=get_text(data, "target"),
        threshold=get_int(data, "threshold"),
        keys=tuple(_key(item) for item in as_list(get(data, "keys"), "keys")),
        revoked=get_words(data, "revoked"),
        roles=None if roles is None else tuple(_role(item) for item in as_list(roles, "roles")),
    )


def _key(item: object) -> KeyRow:
    data = as_object(item, "key")
    return KeyRow(
        principals=get_words(data, "principals"),
        keyid=get_text(data, "keyid"),
        key=get_text(data, "key"),
        roles=get_words(data, "roles"),
        valid_after=get_optional(data, "valid_after"),
        valid_before=get_optional(data, "valid_before"),
        revoked=data.get("revoked") is True,
        valid=data.get("valid") is True,
    )


def _role(item: object) -> RoleRow:
    data = as_object(item, "role")
    return RoleRow(get_text(data, "principal"), get_words(data, "roles"), get_words(data, "places"))


def parse_base(answer: object) -> dict[str, BaseModule]:
    """GET /v1/base: module name -> what lies on the server's disk."""
    modules = as_object(get(as_object(answer, "base"), "modules"), "modules")
    table = {}
    for name, value in modules.items():
        entry = as_object(value, name)
        table[name] = BaseModule(bool(entry.get("package")), get_text(entry, "path"), get_text(entry, "sha256"))
    return table


def parse_running(answer: object) -> tuple[WorkerCode, ...]:
    """GET /v1/running."""
    workers = []
    for item in as_list(get(as_object(answer, "running"), "workers"), "workers"):
        worker = as_object(item, "worker")
        said = worker.get("answer")
        modules = None if said is None else as_object(get(as_object(said, "answer"), "modules"), "modules")
        found = None if modules is None else {name: _module_code(value) for name, value in modules.items()}
        workers.append(WorkerCode(get_text(worker, "machine"), get_int(worker, "pid"), found))
    return tuple(workers)


def _module_code(item: object) -> ModuleCode:
    data = as_object(item, "module")
    return ModuleCode(
        source=get_optional(data, "source"),
        loaded=bool(data.get("loaded")),
        compared=get_int(data, "compared"),
        deviating=tuple(str(name) for name in as_list(data.get("deviating", []), "deviating")),
    )


def parse_push(answer: object) -> PushAnswer:
    """The answer to a push or to a dry run."""
    data = as_object(answer, "push")
    report = as_object(data.get("report") or {}, "report")
    seconds = as_object(data.get("seconds") or {}, "seconds")
    machines = parse_machines(data.get("machines", []))
    return PushAnswer(
        seq=get_int(data, "seq"),
        digest=get_text(data, "digest"),
        already_applied=bool(data.get("already_applied")),
        modules=tuple(as_object(item, "report") for item in as_list(report.get("modules", []), "modules")),
        machines=machines,
        in_step=bool(data.get("in_step", True)),
        withdrawn=parse_withdrawn(data.get("withdrawn")),
        seconds={name: float(value) for name, value in seconds.items() if isinstance(value, int | float)},
    )

"""What a server answers, as values: its state, its base, its journal, the result of a push.

Pure: parsed JSON in, values out. The server is the one the person named and TLS vouches for it, but its answers are
still only bytes: what does not have the expected form is an error that says so, never a crash further on.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from habanero_py.events import Confirmation, Machine, OldBase, Worker
from habanero_receiver.errors import HabaneroError, RequestError
from habanero_receiver.release.statement import PythonTag


@dataclass(frozen=True, slots=True)
class Head:
    """The newest release of the journal. seq 0 is the base, whose digest is the base fingerprint."""

    seq: int
    digest: str
    issued: str | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class ServerState:
    """GET /v1/state."""

    target: str
    base: str
    python: PythonTag
    head: Head
    running: int
    modules: tuple[str, ...]
    machines: tuple[Machine, ...]

    @property
    def workers(self) -> int:
        """How many processes are alive."""
        return sum(len(machine.workers) for machine in self.machines)

    @property
    def in_step(self) -> bool:
        """Whether every process runs the head."""
        return all(worker.running == self.head.seq for machine in self.machines for worker in machine.workers)


@dataclass(frozen=True, slots=True)
class BaseModule:
    """One module as it lies on the server's disk. `path` is relative to its source root."""

    package: bool
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the journal: the envelope's own bytes.

    With details, what the server has for its manifest, and who ran it when it was pushed, as it was noted then.
    """

    seq: int
    envelope: bytes
    manifest: bytes | None = None
    confirmed: tuple[Confirmation, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """The numbers of the journal's entries as a listing shows them, and the signed requests to prune."""

    numbers: tuple[int, ...]
    prunings: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Prunable:
    """What a prune may remove, or did: the code of `releases`, all below number `below`; whole journals; blobs."""

    base: str
    below: int
    releases: tuple[int, ...]
    bases: tuple[OldBase, ...]
    blobs: int


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


def _units(modules: Iterable[Mapping[str, object]], outcome: str) -> tuple[str, ...]:
    return tuple(f"{m.get('module')}: {unit}" for m in modules for unit in _list(m.get(outcome, []), outcome))


def parse_state(answer: object) -> ServerState:
    """Raises unexpected-answer, as all of these do."""
    data = _object(answer, "state")
    try:
        python = PythonTag.from_json(_get(data, "python"))
    except RequestError as error:
        raise unexpected("python", error.message) from error
    head = _object(_get(data, "head"), "head")
    running = _object(data.get("running") or {}, "running")
    return ServerState(
        target=_text(data, "target"),
        base=_text(data, "base"),
        python=python,
        head=Head(
            seq=_int(head, "seq"),
            digest=_text(head, "digest"),
            issued=_optional(head, "issued"),
            author=_optional(head, "author") or None,
        ),
        running=_int(running, "seq") if running else _int(head, "seq"),
        modules=tuple(str(name) for name in _list(data.get("modules", []), "modules")),
        machines=parse_machines(data.get("machines", [])),
    )


def parse_machines(answer: object) -> tuple[Machine, ...]:
    """The fleet; a worker that failed says why."""
    return tuple(
        Machine(_text(machine, "machine"), tuple(_worker(item) for item in _list(_get(machine, "workers"), "workers")))
        for machine in (_object(item, "machine") for item in _list(answer, "machines"))
    )


def parse_base(answer: object) -> dict[str, BaseModule]:
    """GET /v1/base: module name -> what lies on the server's disk."""
    modules = _object(_get(_object(answer, "base"), "modules"), "modules")
    table = {}
    for name, value in modules.items():
        entry = _object(value, name)
        table[name] = BaseModule(bool(entry.get("package")), _text(entry, "path"), _text(entry, "sha256"))
    return table


def parse_journal(answer: object) -> tuple[Entry, ...]:
    """GET /v1/journal: the entries, oldest first."""
    entries = []
    for item in _list(_get(_object(answer, "journal"), "entries"), "entries"):
        entry = _object(item, "entry")
        manifest = _base64(_text(entry, "manifest")) if entry.get("manifest") is not None else None
        confirmed = _confirmed(entry.get("confirmed"))
        entries.append(Entry(_int(entry, "seq"), _base64(_text(entry, "envelope")), manifest, confirmed))
    return tuple(entries)


def parse_listing(answer: object) -> Listing:
    """GET /v1/listing."""
    data = _object(answer, "listing")
    numbers = tuple(number for number in _list(_get(data, "numbers"), "numbers") if isinstance(number, int))
    return Listing(numbers, tuple(_base64(str(item)) for item in _list(_get(data, "prunings"), "prunings")))


def parse_prunable(answer: object) -> Prunable:
    """GET and POST /v1/prune."""
    data = _object(answer, "prune")
    bases = [_object(item, "base") for item in _list(_get(data, "bases"), "bases")]
    releases = (number for number in _list(_get(data, "releases"), "releases") if isinstance(number, int))
    return Prunable(
        base=_text(data, "base"),
        below=_int(data, "below"),
        releases=tuple(releases),
        bases=tuple(OldBase(_text(base, "base"), _int(base, "entries"), _optional(base, "newest")) for base in bases),
        blobs=_int(data, "blobs"),
    )


def parse_running(answer: object) -> tuple[WorkerCode, ...]:
    """GET /v1/running."""
    workers = []
    for item in _list(_get(_object(answer, "running"), "workers"), "workers"):
        worker = _object(item, "worker")
        said = worker.get("answer")
        modules = None if said is None else _object(_get(_object(said, "answer"), "modules"), "modules")
        found = None if modules is None else {name: _module_code(value) for name, value in modules.items()}
        workers.append(WorkerCode(_text(worker, "machine"), _int(worker, "pid"), found))
    return tuple(workers)


def _module_code(item: object) -> ModuleCode:
    data = _object(item, "module")
    return ModuleCode(
        source=_optional(data, "source"),
        loaded=bool(data.get("loaded")),
        compared=_int(data, "compared"),
        deviating=tuple(str(name) for name in _list(data.get("deviating", []), "deviating")),
    )


def _confirmed(note: object) -> tuple[Confirmation, ...]:
    """The note beside an entry; nothing for one that cannot be read, since whoever can write the bucket wrote it."""
    machines = note.get("machines") if isinstance(note, dict) else None
    return tuple(
        Confirmation(item["machine"], item["applied"], item["workers"])
        for item in (machines if isinstance(machines, list) else [])
        if isinstance(item, dict)
        and isinstance(item.get("machine"), str)
        and all(type(item.get(name)) is int for name in ("applied", "workers"))
    )


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise unexpected("base64", "what should be base64 is not") from error


def parse_push(answer: object) -> PushAnswer:
    """The answer to a push or to a dry run."""
    data = _object(answer, "push")
    report = _object(data.get("report") or {}, "report")
    seconds = _object(data.get("seconds") or {}, "seconds")
    machines = parse_machines(data.get("machines", []))
    return PushAnswer(
        seq=_int(data, "seq"),
        digest=_text(data, "digest"),
        already_applied=bool(data.get("already_applied")),
        modules=tuple(_object(item, "report") for item in _list(report.get("modules", []), "modules")),
        machines=machines,
        in_step=bool(data.get("in_step", True)),
        seconds={name: float(value) for name, value in seconds.items() if isinstance(value, int | float)},
    )


def unexpected(subject: str, what: str) -> HabaneroError:
    """The server answered, but not as this version of the command understands."""
    return HabaneroError(
        "unexpected-answer",
        f"the server's answer cannot be used: {what}",
        subject=subject,
        help="check that url ends with the receiver's prefix, /_habanero, and that both sides run one version",
    )


def _worker(item: object) -> Worker:
    data = _object(item, "worker")
    failed = data.get("failed")
    if isinstance(failed, Mapping):
        failed = failed.get("message") or failed.get("detail") or failed.get("code") or "failed"
    return Worker(
        pid=_int(data, "pid"),
        running=_int(data, "running"),
        since=_moment(data.get("since")),
        started=_moment(data.get("started")),
        failed=str(failed) if failed else None,
    )


def _moment(value: object) -> str:
    """Seconds since the epoch as a UTC time; text as it is."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11:
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")
    return value if isinstance(value, str) else ""


def _object(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise unexpected(what, f"{what} is not an object")
    return value


def _list(value: object, what: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise unexpected(what, f"{what} is not a list")
    return value


def _get(data: Mapping[str, object], key: str) -> object:
    if key not in data:
        raise unexpected(key, f"{key} is missing")
    return data[key]


def _text(data: Mapping[str, object], key: str) -> str:
    value = _get(data, key)
    if not isinstance(value, str):
        raise unexpected(key, f"{key} is not text")
    return value


def _int(data: Mapping[str, object], key: str) -> int:
    value = _get(data, key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise unexpected(key, f"{key} is not a whole number")
    return value


def _optional(data: Mapping[str, object], key: str) -> str | None:
    return _text(data, key) if data.get(key) is not None else None

"""What a server says of its workers: what each runs, the errors that they saw, and a release that was withdrawn.

Pure: parsed JSON in, values out, as `remote`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from habanero_py.answers import as_list, as_object, get, get_int, get_optional, get_text
from habanero_py.events import Machine, ProductionError, Withdrawal, Worker


@dataclass(frozen=True, slots=True)
class Heard:
    """GET /v1/errors: what came out of released code, each kind of error once, and the verdict on the head.

    `errors` are by what tells one from all others: machine, process, its start, and its number there. `again_s` is how
    long to wait before it is of use to ask again.
    """

    errors: Mapping[tuple[str, int, float, int], ProductionError]
    withdrawn: Withdrawal | None
    again_s: float


def parse_machines(answer: object) -> tuple[Machine, ...]:
    """The fleet; a worker that failed says why."""
    return tuple(_machine(as_object(item, "machine")) for item in as_list(answer, "machines"))


def _machine(machine: dict[str, object]) -> Machine:
    workers = tuple(_worker(item) for item in as_list(get(machine, "workers"), "workers"))
    restarts = machine.get("restarts")
    return Machine(
        machine=get_text(machine, "machine"),
        workers=workers,
        region=get_optional(machine, "region") or "",
        restarts=restarts if isinstance(restarts, int) else None,
    )


def _worker(item: object) -> Worker:
    data = as_object(item, "worker")
    failed = data.get("failed")
    code = failed.get("code") if isinstance(failed, Mapping) else None
    if isinstance(failed, Mapping):
        failed = failed.get("message") or failed.get("detail") or failed.get("code") or "failed"
    return Worker(
        pid=get_int(data, "pid"),
        running=get_int(data, "running"),
        since=moment(data.get("since")),
        started=moment(data.get("started")),
        failed=str(failed) if failed else None,
        code=code if isinstance(code, str) else None,
        booted=booted if isinstance(booted := data.get("booted"), int) else None,
    )


def parse_withdrawn(answer: object) -> Withdrawal | None:
    """The verdict on the newest release, None without one."""
    if answer is None:
        return None
    data = as_object(answer, "withdrawn")
    return Withdrawal(
        push=get_int(data, "seq"), runs=get_int(data, "runs"), reason=get_text(data, "reason"),
        machine=get_text(data, "machine"), at=moment(data.get("at")),
    )  # fmt: skip


def parse_errors(answer: object) -> Heard:
    """GET /v1/errors."""
    data = as_object(answer, "errors")
    found = {}
    for item in as_list(get(data, "workers"), "workers"):
        worker = as_object(item, "worker")
        machine, pid, started = get_text(worker, "machine"), get_int(worker, "pid"), worker.get("started")
        for each in as_list(get(worker, "reports"), "reports"):
            report = as_object(each, "report")
            key = (machine, pid, float(started) if isinstance(started, int | float) else 0.0, get_int(report, "id"))
            found[key] = _error(machine, pid, report)
    again_s = data.get("again_s")
    wait_s = float(again_s) if isinstance(again_s, int | float) else 5.0
    return Heard(found, parse_withdrawn(data.get("withdrawn")), min(max(wait_s, 0.2), 60.0))


def _error(machine: str, pid: int, report: dict[str, object]) -> ProductionError:
    return ProductionError(
        push=get_int(report, "release"),
        kind=get_text(report, "kind"),
        message=get_text(report, "words"),
        place=get_text(report, "place"),
        where=get_text(report, "where"),
        machine=machine,
        pid=pid,
        times=get_int(report, "times"),
        traceback=get_text(report, "traceback"),
        last=moment(report.get("last")),
    )


def moment(value: object) -> str:
    """Seconds since the epoch as a UTC time; text as it is."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11:
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")
    return value if isinstance(value, str) else ""

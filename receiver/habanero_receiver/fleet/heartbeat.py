"""Heartbeats: what each worker says that it runs, and the picture of the fleet that they make together.

What it does: one worker's beat as bytes and back, and, from all beats, who is alive and whether all run the same.

What it does not: no I/O and no clock; and nothing in a beat is trusted for anything but telling a person. A beat
is written by whoever can write to the bucket, so it never decides what code runs.

The rule it upholds: only what a worker says itself counts as running; a worker that fell silent is not counted.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MAX_BEAT_BYTES = 16_384
_MAX_TEXT_CHARS = 500


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a worker does not run the head: the release that it could not take, and the error's code and words."""

    seq: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Beat:
    """One worker's word. Times are seconds since the epoch.

    `region` is where its machine is, empty when its settings do not say; `booted` the number of the release that it
    started on; `starts` how many processes joined over this base on its machine, this one included, 0 if not known.

    `pids` names the world that `pid` is a number in, a kernel boot and its process namespace: only in the same world
    can one look whether the process is there.
    """

    machine: str
    pid: int
    pids: str
    running: int
    digest: str
    since: float
    started: float
    updated: float
    failed: Failure | None = None
    region: str = ""
    booted: int = 0
    starts: int = 0

    @property
    def name(self) -> str:
        """The key of this worker's heartbeat in the bucket."""
        return f"{self.machine}.{self.pid}"

    def encode(self) -> bytes:
        """Give the JSON that goes into the bucket."""
        return json.dumps({"v": 1, **asdict(self)}, sort_keys=True).encode()


def decode(data: bytes) -> Beat | None:
    """Read a beat; None for anything that is not one (the bucket's word is trusted for nothing)."""
    if len(data) > MAX_BEAT_BYTES:
        return None
    try:
        fields = json.loads(data)
        if fields.pop("v") != 1:
            return None
        failed = fields.pop("failed")
        # A later version may say more.
        known = {name: value for name, value in fields.items() if name in Beat.__slots__}
        beat = Beat(**known, failed=None if failed is None else Failure(**failed))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return beat if _well_typed(beat) else None


def _well_typed(beat: Beat) -> bool:
    counts = (beat.pid, beat.running, beat.booted, beat.starts)
    whole: tuple[object, ...] = (*counts, *((beat.failed.seq,) if beat.failed else ()))
    failed = (beat.failed.code, beat.failed.message) if beat.failed else ()
    texts: tuple[object, ...] = (beat.machine, beat.pids, beat.digest, beat.region, *failed)
    times: tuple[object, ...] = (beat.since, beat.started, beat.updated)
    return (
        all(isinstance(number, int) and not isinstance(number, bool) for number in whole)
        and all(isinstance(text, str) and len(text) <= _MAX_TEXT_CHARS for text in texts)
        and all(isinstance(time, (int, float)) and 0 <= time < 1e11 for time in times)
    )


def alive(
    beats: Iterable[Beat], *, now: float, silent_after_s: float, dead: Callable[[Beat], bool]
) -> list[Beat]:
    """Keep the workers that are alive: not silent for too long, and not known to be dead."""
    return [beat for beat in beats if now - beat.updated < silent_after_s and not dead(beat)]


def machines(beats: Iterable[Beat]) -> list[Mapping[str, Any]]:
    """Group workers by machine, in a stable order, as the state and push answers show them."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    latest: dict[str, Beat] = {}
    for beat in sorted(beats, key=lambda beat: (beat.machine, beat.pid)):
        grouped.setdefault(beat.machine, []).append(
            {
                "pid": beat.pid,
                "running": beat.running,
                "digest": beat.digest,
                "since": beat.since,
                "started": beat.started,
                "booted": beat.booted,
                "failed": None if beat.failed is None else asdict(beat.failed),
            }
        )
        newest = latest.get(beat.machine, beat)
        latest[beat.machine] = max(newest, beat, key=lambda each: (each.starts, each.started))
    return [
        {"machine": name, "region": latest[name].region, "restarts": _restarts(latest[name], len(workers)),
         "workers": workers}
        for name, workers in grouped.items()
    ]  # fmt: skip


def _restarts(newest: Beat, alive: int) -> int | None:
    """How many of a machine's processes ended; None when nothing there outlives them to count."""
    return max(0, newest.starts - alive) if newest.starts else None


def in_step(beats: Iterable[Beat], seq: int, digest: str) -> bool:
    """Whether every one of these workers runs this release, or a newer one that came after it."""
    return all(beat.digest == digest or beat.running > seq for beat in beats)


def settled(beats: Iterable[Beat], seq: int, digest: str) -> bool:
    """Whether each of these workers runs this release, or has said that it cannot: nothing more to wait for."""
    return all(
        in_step((beat,), seq, digest) or (beat.failed is not None and beat.failed.seq >= seq) for beat in beats
    )


def confirmation(beats: Iterable[Beat], seq: int, digest: str) -> bytes:
    """Who ran a release when its push was answered, per machine, as it is noted beside the journal."""
    found = [
        {"machine": machine["machine"], "workers": len(machine["workers"]),
         "applied": sum(worker["digest"] == digest for worker in machine["workers"])}
        for machine in machines(beats)
    ]  # fmt: skip
    return json.dumps({"v": 1, "seq": seq, "digest": digest, "machines": found}).encode()


def clip(text: str) -> str:
    """Cut a message to what a beat may carry."""
    return text if len(text) <= _MAX_TEXT_CHARS else text[: _MAX_TEXT_CHARS - 1] + "…"

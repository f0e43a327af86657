"""What a worker says of the errors that came out of released code, for the people who released it.

    {"v": 1, "machine": "iad-6e82", "pid": 2217, "started": …, "reports": [{"id": 3, "release": 42, …}]}

What it does: turns a sighting into words, joins equal ones into one with a count, keeps the newest few. What it does
not: no I/O, and nothing in a report is trusted for anything but telling a person.

The rule it upholds: source lines are those of the release that raised, also after it was swapped away; and what a
worker says is bounded, however many errors it has.
"""

from __future__ import annotations

import json
import linecache
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from habanero_receiver.journal.notes import MAX_ERRORS_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from habanero_receiver.fleet.sightings import Part, Place, Sighting

MAX_REPORTS = 8
MAX_LINES = 40
_MAX_LINE_CHARS = 200
_MAX_TEXT_CHARS = MAX_LINES * _MAX_LINE_CHARS


@dataclass(frozen=True, slots=True)
class Report:
    """One error, however often it was seen. Times are seconds since the epoch.

    `id` counts the worker's reports; `release` is the number of the release that the code came with; `place` is the
    innermost line of released code, as "module.function:line"; `where` what it ended: a request, a loop, a thread.
    """

    id: int
    release: int
    kind: str
    words: str
    place: str
    where: str
    traceback: str
    times: int
    first: float
    last: float


class Reports:
    """The newest errors of this worker, each kind once. For one thread at a time."""

    def __init__(self) -> None:
        self._by_key: dict[object, Report] = {}
        self._made = 0

    def note(
        self, sighting: Sighting, release: int, place: str, source: Callable[[Place], str | None], root: str
    ) -> bool:
        """Take an error in; whether it is the first of its kind.

        `source` gives the line of released code that a frame was at, None for other code; `root` is the app's folder.
        """
        key = (release, tuple((part.kind, part.places) for part in sighting.parts))
        known = self._by_key.pop(key, None)
        if known is None:
            self._made += 1
            last = sighting.parts[-1]
            text = "".join(_told(part, source, root) for part in sighting.parts)[-_MAX_TEXT_CHARS:]
            known = Report(
                self._made, release, last.kind, last.words, place, sighting.where, text, 0, sighting.time, sighting.time
            )
        self._by_key[key] = replace(known, times=known.times + 1, last=sighting.time)
        while len(self._by_key) > MAX_REPORTS:
            del self._by_key[next(iter(self._by_key))]
        return known.times == 0

    def all(self) -> list[Report]:
        """Those that are kept, the one seen last at the end."""
        return list(self._by_key.values())


def _told(part: Part, source: Callable[[Place], str | None], root: str) -> str:
    """A traceback as Python prints it, from the first frame of the app on."""
    places = list(part.places)
    first = next((at for at, place in enumerate(places) if place.code.co_filename.startswith(root)), 0)
    lines = ["Traceback (most recent call last):"]
    for place in places[first:][-MAX_LINES // 2 :]:
        code = place.code
        lines.append(f'  File "{code.co_filename}", line {place.line}, in {code.co_name}')
        text = source(place)
        text = linecache.getline(code.co_filename, place.line) if text is None else text
        lines += [f"    {text.strip()}"] if text.strip() else []
    said = f"{part.kind}: {part.words}" if part.words else part.kind
    return "\n".join(line[:_MAX_LINE_CHARS] for line in [*lines, *said.splitlines()[:5]]) + "\n"


def encode(machine: str, pid: int, started: float, reports: Iterable[Report]) -> bytes:
    """As it lies in the bucket: the newest reports, as many as have room."""
    kept = list(reports)
    while True:
        said = {"v": 1, "machine": machine, "pid": pid, "started": started, "reports": [asdict(each) for each in kept]}
        data = json.dumps(said).encode()
        if len(data) <= MAX_ERRORS_BYTES or not kept:
            return data
        kept = kept[1:]


def decode(data: bytes) -> dict[str, Any] | None:
    """What another worker says, of the right form; None for anything else (anybody may have written it)."""
    try:
        said = json.loads(data)
        fields = {name: said[name] for name in ("machine", "pid", "started")}
        reports = [_report(each) for each in said["reports"][:MAX_REPORTS]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    typed = isinstance(fields["machine"], str) and type(fields["pid"]) is int and _is_time(fields["started"])
    return {**fields, "reports": reports} if typed and said.get("v") == 1 else None


def _report(fields: Mapping[str, Any]) -> dict[str, Any]:
    report = asdict(Report(**fields))
    whole = all(type(report[name]) is int for name in ("id", "release", "times"))
    times = all(_is_time(report[name]) for name in ("first", "last"))
    texts = [report[name] for name in ("kind", "words", "place", "where", "traceback")]
    if not (whole and times and all(isinstance(text, str) and len(text) <= _MAX_TEXT_CHARS for text in texts)):
        raise ValueError("not a report")
    return report


def _is_time(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e11

"""`habanero-py doctor --bucket`: tries on the real bucket all that the receiver needs of it, and says what is wrong.

What it does: creates, reads, replaces, lists and removes keys of its own, below `v1/doctor/`. What it does not: it
reads no journal, needs no keys and starts nothing; what it made is removed again, as far as the bucket lets it. A
directory that is not there yet is left to the server, whose user it has to belong to.

The rule it upholds: a green doctor means that a push can be recorded here and found again after a restart, by this
machine and by others. It needs the receiver's dependencies alone.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from habanero_receiver.config import bucket_url
from habanero_receiver.errors import CODES, HabaneroError, StoreError
from habanero_receiver.fleet.pace import pace_for
from habanero_receiver.journal.bucket import open_bucket
from habanero_receiver.journal.stores.address import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from habanero_receiver.journal.bucket import Bucket

USAGE = "usage: habanero-py doctor --bucket [URL] [--json]\n"
_KEYS = ("beat", "one", "race")
_WRITERS = 4
_READS = 5
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is well, what was found; and the error when it is not."""

    check: str
    text: str
    error: HabaneroError | None = None

    def line(self) -> str:
        """As a person reads it."""
        if self.error is None:
            return f"ok    {self.check:<12} {self.text}"
        help_line = f"\n      {'':<12} help: {self.error.help}" if self.error.help else ""
        return f"FAIL  {self.check:<12} {self.error.message} [{self.error.code}]{help_line}"

    def to_json(self) -> dict[str, object]:
        """As a program reads it."""
        if self.error is None:
            return {"check": self.check, "ok": True, "text": self.text}
        error = self.error
        return {"check": self.check, "ok": False, "text": error.message, "code": error.code, "help": error.help}


def main(words: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Examine the bucket in `words`, else that of the settings; gives the exit code of the first problem, or 0."""
    if words[:1] == ["--help"] or words[:1] == ["-h"]:
        sys.stdout.write(
            f"{USAGE}\nTries on the bucket what a receiver needs of it. Without a URL: the one that is set.\n"
        )
        return 0
    urls = [word for word in words if word != "--json"]
    if len(urls) > 1 or any(word.startswith("-") for word in urls):
        sys.stderr.write(USAGE)
        return CODES["usage"].exit
    url = urls[0] if urls else bucket_url(environ, Path.cwd())
    worst = 0
    for finding in examine(url, environ):
        shown = json.dumps(finding.to_json()) if "--json" in words else finding.line()
        sys.stdout.write(f"{shown}\n")
        sys.stdout.flush()
        if finding.error is not None:
            worst = worst or CODES[finding.error.code].exit
    return worst


def examine(url: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Every check in turn; the first that fails is the last, since those after it need it."""
    place = f"v1/doctor/{os.urandom(8).hex()}"
    yield Finding("bucket", without_secrets(url))
    name = "settings"
    try:
        bucket = open_bucket(url, environ)
        name = "reach"
        if not bucket.check():
            yield Finding(name, "it is not there yet: the first push makes it")
            return
        yield Finding(name, "it is there")
        try:
            for name, check in _CHECKS:
                yield Finding(name, check(bucket, place))
        finally:
            _remove_all(bucket, place)
    except HabaneroError as error:
        yield Finding(name, "", error)


def _write(bucket: Bucket, place: str) -> str:
    if not bucket.create(f"{place}/one", b"one"):
        raise _wrong("store-corrupt", "a new key holds other bytes than were written to it")
    return "a key can be made"


def _read(bucket: Bucket, place: str) -> str:
    if bucket.get(f"{place}/one", max_bytes=100) != b"one":
        raise _wrong("store-corrupt", "what was just written cannot be read back: reads are not consistent with writes")
    if bucket.get(f"{place}/none", max_bytes=100) is not None:
        raise _wrong("store-corrupt", "a key that nobody made can be read")
    return "it is read back at once, and what is not there is said not to be"


def _create_only(bucket: Bucket, place: str) -> str:
    if bucket.create(f"{place}/one", b"two") or bucket.get(f"{place}/one", max_bytes=100) != b"one":
        raise _wrong("store-not-exclusive", "a second create replaced what the first had made")
    return "a second create of the same key is refused"


def _race(bucket: Bucket, place: str) -> str:
    """Several at once: some stores look first and write then."""
    start, won, errors = threading.Barrier(_WRITERS), [], []

    def write(number: int) -> None:
        start.wait()
        try:
            if bucket.create(f"{place}/race", b"%d" % number):
                won.append(number)
        except HabaneroError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(_WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    if len(won) != 1 or bucket.get(f"{place}/race", max_bytes=100) != b"%d" % won[0]:
        raise _wrong(
            "store-not-exclusive", f"of {_WRITERS} writers that made one key at once, {len(won)} were told yes"
        )
    return f"of {_WRITERS} writers at once exactly one wins"


def _replace(bucket: Bucket, place: str) -> str:
    for data in (b"first", b"second"):
        bucket.replace(f"{place}/beat", data)
        if bucket.get(f"{place}/beat", max_bytes=100) != data:
            raise _wrong("store-corrupt", "a key that was replaced is read as it was before: reads are stale")
    return "a key can be replaced, and is read as it is then"


def _list(bucket: Bucket, place: str) -> str:
    wanted = sorted(f"{place}/{name}" for name in _KEYS)
    found = bucket.list(place)
    if found != wanted:
        raise _wrong("store-corrupt", f"a list shows {len(found)} keys where there are {len(wanted)}")
    return "what was made is listed at once"


def _remove(bucket: Bucket, place: str) -> str:
    _remove_all(bucket, place)
    if bucket.get(f"{place}/one", max_bytes=100) is not None:
        raise _wrong("store-corrupt", "a key that was removed can still be read")
    return "what was made here is removed again"


def _remove_all(bucket: Bucket, place: str) -> None:
    for name in _KEYS:
        bucket.remove(f"{place}/{name}")


def _speed(bucket: Bucket, place: str) -> str:
    times = []
    for _ in range(_READS):
        began = time.perf_counter()
        bucket.get(f"{place}/none", max_bytes=100)
        times.append(time.perf_counter() - began)
    return f"a read takes {statistics.median(times) * 1000:.1f} ms"


def _cost(bucket: Bucket, _place: str) -> str:
    if not bucket.remote:
        return "nothing: it is a directory"
    pace = pace_for(remote=True, poll_s=None)
    reads, writes = round(_DAY_S / pace.poll_s + _DAY_S / pace.listen_s), round(_DAY_S / pace.beat_s)
    return f"each worker makes about {reads:,} reads and {writes:,} writes a day; HABANERO_POLL sets how often"


_CHECKS: tuple[tuple[str, Callable[[Bucket, str], str]], ...] = (
    ("write", _write), ("read", _read), ("create-only", _create_only), ("race", _race),
    ("replace", _replace), ("list", _list), ("remove", _remove), ("speed", _speed), ("cost", _cost),
)  # fmt: skip


def _wrong(code: str, text: str) -> StoreError:
    help_line = "use another store; docs/buckets.md names some that do it right"
    return StoreError(code, text, subject="HABANERO_BUCKET", help=help_line)

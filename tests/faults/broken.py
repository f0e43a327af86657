"""An S3 store behind a proxy that breaks one request, the n-th from now: what scenarios of a bad network run on.

`stale` answers a read as if the last write had not been; `killed` ends the process under test when its request arrives,
`killed after` when the store has done what was asked, `reader killed` ends the processes that it has started (a start
reads its bucket through one). Everything else is a fault of `faulty`.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from faulty import Asked, Proxy, faulty, in_turn
from faulty import _forward as forward
from objectstores import ObjectStore, moto

from faults.scenario import Ground, Outcome
from habanero_receiver.journal.bucket import Bucket

KINDS = (
    "500", "503", "429", "409", "dropped", "cut", "lost", "late 500", "stalled before", "stalled after", "stale",
)  # fmt: skip
KILLS = ("killed", "killed after")
READER = "reader killed"
QUICK = ("500", "lost", "stale", "killed after")
STALL_S = 4.0
"""Longer than a client waits for the next byte."""
MOST = 200
"""More requests than any of these runs makes."""
_NOTHING_LISTED = "answer:200:<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
_NOT_THERE = "answer:404:<Error><Code>NoSuchKey</Code></Error>"


@dataclass
class Nth:
    """A plan of the proxy: break the n-th request from now, once. `victim` is told the process that is to be killed."""

    at: int
    kind: str
    upstream: str
    victim: Future[int] = field(default_factory=Future)
    met: str = ""
    _seen: int = 0
    _counting_lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, asked: Asked) -> str:
        """What to do with a request."""
        listing = "list-type" in asked.path
        with self._counting_lock:
            if self.kind == "stale" and asked.method != "GET":
                return ""
            self._seen += 1
            if self._seen != self.at:
                return ""
            self.met = "list" if listing else asked.method
        if self.kind == "stale":
            return _NOTHING_LISTED if listing else _NOT_THERE
        if self.kind == READER:
            for child in children(self.victim.result(10)):
                _kill(child)
            return "dropped"
        if self.kind not in KILLS:
            return self.kind
        if self.kind == "killed after":
            forward(asked, self.upstream)
        _kill(self.victim.result(10))
        return "dropped"


@dataclass(frozen=True)
class Network:
    """What runs: the store, the proxy before it, and an empty bucket in it."""

    store: ObjectStore
    proxy: Proxy
    url: str

    @property
    def direct(self) -> dict[str, str]:
        """The settings of a process whose requests all arrive."""
        return self._settings(self.store.endpoint, self.url)

    @property
    def through(self) -> dict[str, str]:
        """The settings of the process under test."""
        return self._settings(self.proxy.endpoint, self.url)

    def through_to(self, url: str) -> dict[str, str]:
        """The same to another bucket."""
        return self._settings(self.proxy.endpoint, url)

    def bucket(self) -> Bucket:
        """The bucket as the test reads it."""
        return self.store.open(self.url)

    def arm(self, at: int, kind: str, pid: int | None = None) -> Nth:
        """Break the `at`-th request from now on, once. Without a pid the caller tells the victim when it has one."""
        nth = Nth(at, kind, urlsplit(self.store.endpoint).netloc)
        if pid is not None:
            nth.victim.set_result(pid)
        self.proxy.plan = nth
        return nth

    def disarm(self) -> None:
        """Let everything through again."""
        self.proxy.plan = in_turn()

    def _settings(self, endpoint: str, url: str) -> dict[str, str]:
        return {"HABANERO_BUCKET": url, "HABANERO_POLL": "0.2", "AWS_ENDPOINT_URL_S3": endpoint}


@contextmanager
def network(ground: Ground) -> Iterator[Network]:
    """A store, a proxy and a bucket; its credentials are in the environment from then on."""
    with moto(ground.folder) as store, faulty(store.endpoint, in_turn(), stall_s=STALL_S) as proxy:
        os.environ.update(store.environ())
        yield Network(store, proxy, store.make_bucket())


def note(nth: Nth, outcome: Outcome) -> str:
    """Count the fault if it came; gives how a violation is to call it."""
    if nth.met:
        outcome.faults[f"{nth.kind} at {nth.met}"] += 1
    return f"{nth.kind} at request {nth.at}, {nth.met or 'none'}"


def children(pid: int) -> list[int]:
    """The processes that a process has started and that live."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, task.read_text().split())
    return found


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)

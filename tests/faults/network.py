"""Scenarios of an object store behind a network: a fault at each request of a push, one request after the other.

A kind of fault comes at request 1, then at request 2, until a push comes through without having met it. `stale` answers
a read as if the last write had not been; `killed` ends the server when its request arrives, and `killed after` when the
store has done what was asked.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

from authoring import Push
from faulty import Asked, faulty, in_turn
from faulty import _forward as forward
from objectstores import moto
from serving import Server, Shop

from faults import forked, pushing, truth
from faults.scenario import Ground, Outcome, Scenario

KINDS = ("500", "503", "429", "409", "dropped", "cut", "lost", "late 500", "stalled before", "stale")
KILLS = ("killed", "killed after")
QUICK = ("500", "lost", "stale", "killed after")
STALL_S = 4.0
"""Longer than a client waits for the next byte."""
_NOTHING_LISTED = "answer:200:<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
_NOT_THERE = "answer:404:<Error><Code>NoSuchKey</Code></Error>"
MOST = 200


@dataclass
class Nth:
    """A plan of the proxy: break the n-th request from now, once."""

    at: int
    kind: str
    upstream: str
    pid: int = 0
    met: str = ""
    _seen: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, asked: Asked) -> str:
        """What to do with a request."""
        listing = "list-type" in asked.path
        with self._lock:
            if self.kind == "stale" and asked.method != "GET":
                return ""
            self._seen += 1
            if self._seen != self.at:
                return ""
            self.met = "list" if listing else asked.method
        if self.kind == "stale":
            return _NOTHING_LISTED if listing else _NOT_THERE
        if self.kind not in KILLS:
            return self.kind
        if self.kind == "killed after":
            forward(asked, self.upstream)
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        return "dropped"


def requests(kind: str, ground: Ground) -> Outcome:
    """The fault at each request of a push; the app goes on, the retry succeeds, a restart runs the head."""
    outcome, rate = Outcome(), 10
    shop = Shop(ground.folder / "srv")
    with moto(ground.folder) as store, faulty(store.endpoint, in_turn(), stall_s=STALL_S) as proxy:
        os.environ.update(store.environ())
        url, upstream = store.make_bucket(), urlsplit(store.endpoint).netloc
        settings = {"HABANERO_BUCKET": url, "AWS_ENDPOINT_URL_S3": proxy.endpoint}
        at, met = 1 + ground.seed % _stride(ground), "first"
        while met and at < MOST:
            with forked.serve(shop, **settings) as server:
                _check_restart(server, shop, store.open(url), rate, outcome)
                while server.process.poll() is None:
                    rate += 1
                    push = server.next(forked.release(rate))
                    proxy.plan = nth = Nth(at, kind, upstream, server.process.pid)
                    code = pushing.attempt(server, push, outcome)
                    proxy.plan = in_turn()
                    met = _judge(server, nth, (push, code, rate), outcome)
                    at += _stride(ground)
                    if not met or at >= MOST:
                        break
        with forked.serve(shop, **settings) as server:
            _check_restart(server, shop, store.open(url), rate, outcome)
    return outcome


def _stride(ground: Ground) -> int:
    return max(1, round(1 / ground.scale))


def _judge(server: Server, nth: Nth, tried: tuple[Push, int, int], outcome: Outcome) -> str:
    """What came of one push and its retry; gives the request that the fault was at, or an empty string."""
    push, code, rate = tried
    when = f"{nth.kind} at request {nth.at}, {nth.met}"
    if nth.met:
        outcome.faults[f"{nth.kind} at {nth.met}"] += 1
    else:
        outcome.expect(code == 200, f"a push without a fault: {code}")
    if nth.kind in KILLS:
        if nth.met:
            server.process.wait(10)
            outcome.expect(server.process.poll() is not None, f"{when}: it was not killed")
        return nth.met
    outcome.expect(pushing.running(server, outcome, when) in (rate - 1, rate), f"{when}: neither old nor new runs")
    pushing.again(server, push, rate, outcome, when)
    return nth.met


def _check_restart(server: Server, shop: Shop, bucket, rate: int, outcome: Outcome) -> None:
    """A process that has just started runs the journal's head, and takes a push."""
    outcome.count("restarts")
    head = truth.check(shop, outcome, f"at {rate}", bucket)
    outcome.expect(server.state()["running"]["seq"] == head, f"at {rate}: the head {head} does not run")
    ran = pushing.running(server, outcome, f"at {rate}")
    outcome.expect(ran in (rate - 1, rate) or head == 0, f"at {rate}: {ran} runs")
    if ran != rate:
        pushing.again(server, server.next(forked.release(rate)), rate, outcome, f"at {rate}, started anew")


SCENARIOS = tuple(
    Scenario(f"request/{kind}", "at each request of a push to S3: the app goes on, a retry succeeds, a start is whole",
             partial(requests, kind), 0.12 if kind in QUICK else 0.0)
    for kind in KINDS + KILLS
)  # fmt: skip

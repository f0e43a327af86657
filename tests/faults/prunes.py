"""Scenarios of a prune as operators make it: a signed request to a running server, on a directory and on S3.

The fault comes at each point of the server's, or at each of its requests to S3. After each the bucket is valid; the
server, or the one that is started in its place, runs the newest release; asked again, it removes the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import httpx
from serving import Server, Shop

from faults import broken, forked, pruning, pushing
from faults.broken import KILLS
from faults.broken import KINDS as REQUESTS
from faults.crashes import KINDS, MOST
from faults.points import Trap
from faults.pruning import Pruned
from faults.scenario import Ground, Outcome, Scenario
from habanero_receiver.journal.bucket import Bucket, open_bucket

Arm = Callable[[int, Server], Callable[[], str]]
"""Sets a fault; gives what takes it away again, and tells where it came."""


def on_disk(kind: str, ground: Ground) -> Outcome:
    """The bucket is a directory, and a call of the server fails or is its last."""
    outcome, trap = Outcome(), Trap(ground.folder / "trap")
    shop = Shop(ground.folder / "srv")
    pruned = pruning.push_all(shop, open_bucket(shop.environ()["HABANERO_BUCKET"]), outcome)

    def arm(at: int, _: Server) -> Callable[[], str]:
        trap.arm(at, KINDS[kind])
        return trap.disarm

    serve = partial(forked.serve, shop, ground.folder / "trap")
    _prunes(pruned, serve, arm, kind, ground, outcome)
    return outcome


def on_s3(kind: str, ground: Ground) -> Outcome:
    """The bucket is an S3, and a request of the server breaks or is its last."""
    outcome, shop = Outcome(), Shop(ground.folder / "srv")
    with broken.network(ground) as network:
        pruned = pruning.push_all(shop, network.bucket(), outcome, **network.direct)

        def arm(at: int, server: Server) -> Callable[[], str]:
            nth = network.arm(at, kind, server.process.pid)

            def disarm() -> str:
                network.disarm()
                return nth.met

            return disarm

        _prunes(pruned, partial(forked.serve, shop, **network.through), arm, kind, ground, outcome)
    return outcome


def _prunes(
    pruned: Pruned, serve: Callable[[], AbstractContextManager[Server]], arm: Arm, kind: str, ground: Ground,
    outcome: Outcome,
) -> None:  # fmt: skip
    """Prune with the fault at each point. A server that was killed is started anew, and begins with the retry."""
    fired, when, at = "first", "at the start", 0
    full, points = dict(_everything(pruned)), ground.points(MOST)
    needed: set[str] = set()
    while fired and at < MOST:
        for name in (journal := pruned.journal(pruned.base)).hosts():  # those of the dead, which would be more and more
            journal.drop_host(name)
        with serve() as server:
            outcome.count("servers")
            left = _end(server, pruned, outcome, when)
            needed = needed or left
            outcome.expect(left == needed < set(full), f"{when}: {left ^ needed} went, or did not")
            while fired and server.process.poll() is None and (at := next(points, MOST)) < MOST:
                there = dict(_everything(pruned))
                pruned.bucket.create_all({key: data for key, data in full.items() if key not in there})
                disarm = arm(at, server)
                status = _ask(server, pruned, outcome)
                fired = disarm()
                when = f"{kind} at {at}, {fired or 'nothing'}"
                outcome.faults.update([f"{kind} at {fired}"] if fired else [])
                outcome.expect(bool(fired) or status == 200, f"a prune without a fault: {status}")
                pruning.check(pruned, outcome, when)
                if fired and kind in ("kill", *KILLS):
                    outcome.expect(server.process.wait(10) is not None, f"{when}: it was not killed")
                else:
                    left = _end(server, pruned, outcome, when)
                    outcome.expect(left == needed, f"{when}: {left ^ needed} went, or did not")
    outcome.expect(at < MOST or ground.scale < 1, "there was no end of points")


def _end(server: Server, pruned: Pruned, outcome: Outcome, when: str) -> set[str]:
    """The retry: it runs the newest release, and removes what is left to remove; gives the keys that stay."""
    price = server.price()["price"]
    outcome.expect(price == 10 * pruned.last, f"{when}: the price is {price}")
    status = _ask(server, pruned, outcome)
    outcome.expect(status == 200, f"{when}: the second prune was answered with {status}")
    pruning.check(pruned, outcome, f"{when}, pruned again")
    return {key for key, _ in _everything(pruned)}


def _ask(server: Server, pruned: Pruned, outcome: Outcome) -> int:
    """Have what may go removed: the answer's status, 0 when the connection broke."""
    path = f"/v1/prune?days=0&keep=1&below={pruned.last - 1}&base={pruned.base}"
    outcome.count("prunes")
    try:
        answer = server.client.post(f"/_habanero{path}", headers=server.author.read(path, method="POST"))
    except httpx.TransportError:
        return 0
    expected = answer.status_code == 200 or answer.json()["code"] not in pushing.UNEXPECTED
    outcome.expect(expected, f"the prune was answered with {answer.text[:300]}")
    return answer.status_code


def _everything(pruned: Pruned) -> Iterator[tuple[str, bytes]]:
    """All blobs, and the keys of all journals but notes of servers that have ended, and of prunes."""
    waiting = ["v1"]
    while waiting:
        folder = waiting.pop()
        waiting += pruned.bucket.folders(folder)
        if folder.startswith("v1/blobs/") or folder.endswith("/journal"):
            yield from _contents(pruned.bucket, folder)


def _contents(bucket: Bucket, folder: str) -> Iterator[tuple[str, bytes]]:
    for key in bucket.list(folder):
        data = bucket.get(key, max_bytes=2**20)
        if data is not None:
            yield key, data


SCENARIOS = (
    *(
        Scenario(f"prune-asked/{kind}", f"{kind} at each point of a server that prunes: valid; a retry ends it",
                 partial(on_disk, kind), 0.05 if kind == "kill" else 0.0)
        for kind in KINDS
    ),
    *(
        Scenario(f"prune-request/{kind}", "at each request of a server that prunes S3: valid; a retry ends it",
                 partial(on_s3, kind), 0.02 if kind == "lost" else 0.0)
        for kind in REQUESTS + KILLS
    ),
)  # fmt: skip

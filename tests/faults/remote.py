"""Scenarios of an object store behind a network: a fault at each request of a follower, and of a start.

The fault comes at request 1, then at request 2, until a run comes through without having met it. A follower's requests
are those until it runs the release, has told so and has its own copy; a look for news is one of them.
"""

from __future__ import annotations

import shutil
from functools import partial

from authoring import Push
from serving import Server, Shop, wait_until

from faults import broken, forked, pushing, truth
from faults.broken import KILLS, KINDS, MOST, READER, Network, Nth
from faults.forked import release
from faults.scenario import Ground, Outcome, Scenario


def followers(kind: str, ground: Ground) -> Outcome:
    """A second server follows the bucket that the first takes pushes into, over a network that breaks."""
    outcome, rate = Outcome(), 10
    one = Shop(ground.folder / "one")
    two = Shop(ground.folder / "two", author=one.author)
    with broken.network(ground) as network:
        settings = {**network.through, "HABANERO_INSTANCE": "two"}
        with forked.serve(one, **network.direct) as receiving:
            pushing.attempt(receiving, receiving.next(release(rate)), outcome)
            for at in ground.points(MOST):
                rate += 1
                with forked.serve(two, ground.folder / "trap", **settings) as following:
                    push = receiving.next(release(rate))
                    nth = network.arm(at, kind, following.process.pid)
                    accepted = pushing.attempt(receiving, push, outcome) == 200
                    outcome.expect(accepted, f"{kind} at {at}: the other server's push failed")
                    _follow(following, nth, (two, push, rate), outcome)
                    network.disarm()
                when = broken.note(nth, outcome)
                truth.check(one, outcome, when, network.bucket())
                outcome.count("restarts")
                code, told = forked.start(two, **settings)
                outcome.expect(code == 0 and forked.whole(**told) == rate, f"{when}: a start: {code}, {told}")
                if not nth.met:
                    break
            else:
                outcome.expect(ground.scale < 1, "there was no end of requests")
            ran = pushing.running(receiving, outcome, "at the end")
            outcome.expect(ran == rate, "the receiving server went elsewhere")
    return outcome


def _follow(following: Server, nth: Nth, news: tuple[Shop, Push, int], outcome: Outcome) -> None:
    """Wait until the follower runs the release and has a copy of it, or is killed."""
    shop, push, rate = news
    if nth.kind in KILLS:
        wait_until(lambda: following.process.poll() is not None or _kept(shop, push), what=lambda: f"{nth}")
        outcome.expect(not nth.met or following.process.wait(10) is not None, f"{nth}: it was not killed")
        return
    try:
        wait_until(lambda: pushing.running(following, outcome, f"{nth}") == rate, timeout_s=40)
        wait_until(lambda: _kept(shop, push), timeout_s=40)
    except AssertionError as error:
        outcome.violations.append(f"{nth}: the follower does not catch up: {error}")


def _kept(shop: Shop, push: Push) -> bool:
    return any((shop.root / "state").rglob(f"*/{push.statement.seq:08d}-{push.digest.removeprefix('sha256:')}"))


def starts(kind: str, copied: bool, ground: Ground) -> Outcome:
    """A process that starts meets the fault; `copied`: the release lies on its own disk already."""
    outcome, shop = Outcome(), Shop(ground.folder / "srv")
    with broken.network(ground) as network:
        with forked.serve(shop, **network.direct) as server:
            for rate in (11, 12):
                pushing.attempt(server, server.next(release(rate)), outcome)
        for at in ground.points(MOST):
            shutil.rmtree(shop.root / "state", ignore_errors=True)
            if copied:
                forked.start(shop, **network.direct)
            if not _start(network, shop, at, kind, (12,) if copied else (2, 11, 12), outcome):
                break
        else:
            outcome.expect(ground.scale < 1, "there was no end of requests")
        truth.check(shop, outcome, "at the end", network.bucket())
    return outcome


def _start(network: Network, shop: Shop, at: int, kind: str, rates: tuple[int, ...], outcome: Outcome) -> bool:
    """One start that meets the fault and one after it; whether the fault came. Only what is 12 is the head.

    A machine that has no copy may start on the code as it was deployed, or, when it is told that there is no release 2,
    on release 1. One that has a copy starts on what it had.
    """
    nth = network.arm(at, kind)
    code, told = forked.start(shop, begun=nth.victim.set_result, **network.through)
    network.disarm()
    when = broken.note(nth, outcome)
    killed = bool(nth.met) and kind in KILLS
    outcome.expect(killed == (not told), f"{when}: it ended with {code} and told {told}")
    if told:
        ran = forked.whole(**told)
        outcome.count(f"starts on {'the newest' if ran == 12 else 'the one before' if ran == 11 else 'the base'}")
        outcome.expect(ran in (rates if nth.met else (12,)), f"{when}: started on {told}")
    code, told = forked.start(shop, **network.through)
    outcome.expect(code == 0 and bool(told) and forked.whole(**told) == 12, f"{when}: the next start: {code}, {told}")
    return bool(nth.met)


SCENARIOS = (
    *(
        Scenario(f"follow-request/{kind}", "at each request of a follower of S3: it catches up, or starts on the new",
                 partial(followers, kind), 0.1 if kind == "lost" else 0.0)
        for kind in KINDS + KILLS
    ),
    *(
        Scenario(f"start-request/{kind}", "at each request of a first start from S3: whole; the next is on the new",
                 partial(starts, kind, False), 0.2 if kind == READER else 0.0)
        for kind in (*KINDS, *KILLS, READER)
    ),
    *(
        Scenario(f"start-copied-request/{kind}", "at each request of a start that has a copy: it starts on what it has",
                 partial(starts, kind, True), 0.2 if kind == "stale" else 0.0)
        for kind in (*KINDS, *KILLS, READER)
    ),
)  # fmt: skip

"""Scenarios of an object store behind a network: a fault at each request of a push, one request after the other.

A kind of fault comes at request 1, then at request 2, until a push comes through without having met it. `push-request`
is a server that took pushes before; `first-push-request` one that makes the journal, each time another.
"""

from __future__ import annotations

from functools import partial

from authoring import Push
from serving import Server, Shop

from faults import broken, forked, pushing, truth
from faults.broken import KILLS, KINDS, MOST, QUICK, Network, Nth
from faults.scenario import Ground, Outcome, Scenario
from habanero_receiver.journal.bucket import Bucket


def requests(kind: str, ground: Ground) -> Outcome:
    """The fault at each request of a push; the app goes on, the retry succeeds, a restart runs the head."""
    if kind in KILLS:  # each in a bucket of its own: the dead leave heartbeats, which would be read ever after
        return anew(kind, True, ground)
    outcome, rate, shop = Outcome(), 10, Shop(ground.folder / "srv")
    with broken.network(ground) as network:
        with forked.serve(shop, **network.through) as server:
            _check_started(server, shop, network.bucket(), (2, rate), outcome)
            for at in ground.points(MOST):
                rate += 1
                if not _push(network, server, at, kind, (rate - 1, rate), outcome):
                    break
            else:
                outcome.expect(ground.scale < 1, "there was no end of requests")
        with forked.serve(shop, **network.through) as server:
            _check_started(server, shop, network.bucket(), (rate, rate), outcome)
    return outcome


def anew(kind: str, before: bool, ground: Ground) -> Outcome:
    """The same, in another journal each time; `before`: there was a push before, else this one begins it."""
    outcome, rate, old = Outcome(), 11, 10 if before else 2
    with broken.network(ground) as network:
        for at in ground.points(MOST):
            shop, url = Shop(ground.folder / f"srv{at}"), network.store.make_bucket()
            settings = network.through_to(url)
            if before:
                with forked.serve(shop, **settings) as server:
                    pushing.attempt(server, server.next(forked.release(old)), outcome)
            with forked.serve(shop, **settings) as server:
                met = _push(network, server, at, kind, (old, rate), outcome)
            if met and kind not in KILLS:  # it lives, and took the push again
                truth.check(shop, outcome, f"{kind} at {at}", network.store.open(url))
                continue
            with forked.serve(shop, **settings) as server:
                _check_started(server, shop, network.store.open(url), (old, rate), outcome)
            if not met:
                break
        else:
            outcome.expect(ground.scale < 1, "there was no end of requests")
    return outcome


def _push(network: Network, server: Server, at: int, kind: str, rates: tuple[int, int], outcome: Outcome) -> str:
    """One push that meets the fault, and its retry; gives the request that the fault was at, or an empty string."""
    push = server.next(forked.release(rates[1]))
    nth = network.arm(at, kind, server.process.pid)
    code = pushing.attempt(server, push, outcome)
    network.disarm()
    return _judge(server, nth, (push, code), rates, outcome)


def _judge(server: Server, nth: Nth, tried: tuple[Push, int], rates: tuple[int, int], outcome: Outcome) -> str:
    (push, code), when = tried, broken.note(nth, outcome)
    if not nth.met:
        outcome.expect(code == 200, f"a push without a fault: {code}")
    if nth.kind in KILLS:
        if nth.met:
            server.process.wait(10)
            outcome.expect(server.process.poll() is not None, f"{when}: it was not killed")
        return nth.met
    outcome.expect(pushing.running(server, outcome, when) in rates, f"{when}: neither old nor new runs")
    pushing.again(server, push, rates[1], outcome, when)
    return nth.met


def _check_started(server: Server, shop: Shop, bucket: Bucket, rates: tuple[int, int], outcome: Outcome) -> None:
    """A process that has just started runs the journal's head, old or new, and takes a push."""
    old, rate = rates
    outcome.count("restarts")
    head = truth.check(shop, outcome, f"at {rate}", bucket)
    outcome.expect(server.state()["running"]["seq"] == head, f"at {rate}: the head {head} does not run")
    ran = pushing.running(server, outcome, f"at {rate}")
    outcome.expect(ran in rates, f"at {rate}: {ran} runs, neither {old} nor {rate}")
    if ran != rate:
        pushing.again(server, server.next(forked.release(rate)), rate, outcome, f"at {rate}, started anew")


SCENARIOS = (
    *(
        Scenario(f"push-request/{kind}", "at each request of a push to S3: the app goes on, a retry succeeds",
                 partial(requests, kind), 0.12 if kind in QUICK else 0.0)
        for kind in KINDS + KILLS
    ),
    *(
        Scenario(f"first-push-request/{kind}", "at each request of the push that makes the journal on S3: likewise",
                 partial(anew, kind, False))
        for kind in KINDS + KILLS
    ),
)  # fmt: skip

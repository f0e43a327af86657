"""Scenarios of buckets: the contract on real stores, writers through a faulty proxy, servers on a bad network."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import httpx
from bucket_contract import BASE, PROMISES
from faulty import FAULTS, FORWARDED, REFUSED, at_random, faulty, in_turn
from serving import Shop, serve, wait_until

from faults import grounds, writers
from faults.scenario import Ground, Outcome, Scenario
from habanero_receiver.doctor import examine
from habanero_receiver.errors import StoreError
from habanero_receiver.journal.bucket import open_bucket
from habanero_receiver.journal.journal import Journal

WRITERS, ENTRIES, RATE = 8, 200, 0.3
PUSHES = 20


def contract(start: Callable, ground: Ground) -> Outcome:
    """Put a store through every promise of a bucket, from this process and from one aside, and examine it."""
    outcome = Outcome()
    with start(ground.folder) as store:
        os.environ.update(store.environ())
        for promise in PROMISES:
            for aside in (False, True):
                bucket = open_bucket(store.make_bucket())
                with bucket.aside() if aside else ExitStack() as inner:
                    try:
                        promise(inner if aside else bucket)
                    except Exception as error:
                        outcome.violations.append(f"{promise.__name__}: {type(error).__name__}: {error}")
        outcome.tried["promises"] = 2 * len(PROMISES)
        found = list(examine(store.make_bucket(), os.environ))
        outcome.tried["checks of the doctor"] = len(found)
        outcome.violations += [f"doctor: {finding.line()}" for finding in found if finding.error is not None]
    return outcome


def many_writers(start: Callable, ground: Ground) -> Outcome:
    """Eight processes append through a proxy that breaks three requests of ten; the journal is read without it."""
    outcome = Outcome()
    with start(ground.folder) as store, faulty(store.endpoint, at_random(ground.seed, RATE), stall_s=5) as proxy:
        os.environ.update(store.environ())
        url, until = store.make_bucket(), ground.times(ENTRIES)
        environ = {"HABANERO_BUCKET": url, **store.environ(proxy.endpoint)}
        won = writers.race(environ, WRITERS, until, outcome)
        writers.check(store.open(url), until, won, outcome)
        outcome.faults.update(proxy.broken)
        outcome.tried["requests"] = len(proxy.asked)
        outcome.expect(set(FAULTS) <= set(proxy.broken) or ground.scale < 1, "not every kind of fault came up")
    return outcome


def refused_store(ground: Ground) -> Outcome:
    """A store that ignores the condition records nothing, and the doctor says why."""
    outcome = Outcome()
    with grounds.s3rver(ground.folder) as store:
        os.environ.update(store.environ())
        url = store.make_bucket()
        journal = Journal(store.open(url), "shop", "test", BASE)
        try:
            journal.append(1, b"one")
            outcome.violations.append("an entry was recorded")
        except StoreError as error:
            outcome.expect(error.code == "store-not-exclusive", f"refused as {error.code}: {error}")
        outcome.expect(journal.entry(1) is None, "entry 1 is there")
        last = list(examine(url, os.environ))[-1]
        code = last.error.code if last.error else "nothing"
        outcome.expect((last.check, code) == ("create-only", "store-not-exclusive"), f"doctor: {last.check} {code}")
        outcome.tried["store that ignores If-None-Match"] = 1
    return outcome


def servers(start: Callable, ground: Ground) -> Outcome:
    """Two machines, each behind a bad network of its own; pushes to either, kills in between, the app under load."""
    outcome, pushes = Outcome(), ground.times(PUSHES)
    with start(ground.folder) as store, ExitStack() as stack:
        os.environ.update(store.environ())
        proxies = [stack.enter_context(faulty(store.endpoint, in_turn(), stall_s=5)) for _ in range(2)]
        settings = {"HABANERO_BUCKET": store.make_bucket(), "HABANERO_POLL": "0.2"}
        one = Shop(ground.folder / "one")
        shops = [one, Shop(ground.folder / "two", author=one.author)]
        running = [
            stack.enter_context(
                serve(shop, **settings, **store.environ(proxy.endpoint), HABANERO_INSTANCE=shop.root.name)
            )
            for shop, proxy in zip(shops, proxies, strict=True)
        ]
        for number, proxy in enumerate(proxies):
            proxy.plan = at_random(ground.seed + number, RATE / 2, FORWARDED + REFUSED)
        load = Load([f"http://127.0.0.1:{server.port}/price" for server in running])
        with load:
            live = 0
            for number in range(1, pushes + 1):
                live = _push(running[number % 2], number, live, outcome)
        for proxy in proxies:
            outcome.faults.update(proxy.broken)
            proxy.plan = in_turn()
        for server in running:
            wait_until(lambda server=server: server.price()["price"] == live * 10, timeout_s=30)
        outcome.tried |= {"pushes": pushes, "requests to the app": load.answered}
        outcome.expect(load.failed == 0, f"{load.failed} requests to the app failed")
    return outcome


def _push(server, number: int, live: int, outcome: Outcome) -> int:
    """Push a rate; gives the one that is live afterwards. A refusal must leave what was."""
    try:
        answer = server.push(server.next({"shop.rates": f"RATE = {number}\n"}))
    except (AssertionError, httpx.HTTPError) as error:  # the state could not be read through the bad network
        outcome.count("pushes refused")
        outcome.expect("503" in str(error) or "store" in str(error), f"push {number}: {error}")
        return live
    if answer.status_code == 200:
        return number
    outcome.count("pushes refused")
    outcome.expect(answer.status_code in (409, 503), f"push {number}: {answer.status_code} {answer.text[:200]}")
    return live


class Load:
    """Requests to the apps, one after the other, while the block runs."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.answered = self.failed = 0

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def _run(self) -> None:
        with httpx.Client(timeout=20) as client:
            while not self._over.is_set():
                for url in self._urls:
                    try:
                        good = client.get(url).status_code == 200
                    except httpx.HTTPError:
                        good = False
                    self.answered, self.failed = self.answered + good, self.failed + (not good)


SCENARIOS = (
    Scenario("contract/ceph", "a real S3 store keeps every promise of a bucket", partial(contract, grounds.ceph)),
    Scenario("contract/azurite", "so does Azure's own emulator", partial(contract, grounds.azurite)),
    Scenario("contract/google-stand-in", "so does the tests' own stand-in for Google's store",
             partial(contract, grounds.STORES["google-stand-in"])),
    Scenario("refused/s3rver", "a store that ignores the condition is refused", refused_store),
    *(
        Scenario(f"writers/{name}", "8 processes, 30 % of requests broken: nothing lost, doubled or out of order",
                 partial(many_writers, start))
        for name, start in grounds.STORES.items()
    ),
    *(
        Scenario(f"servers/{name}", "2 machines, 15 % broken: pushes are live on both or refused, the app never fails",
                 partial(servers, start))
        for name, start in grounds.STORES.items()
    ),
)  # fmt: skip

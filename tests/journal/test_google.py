"""gs:// over real HTTP to a stand-in: writes that break, a condition that is not held to, pages, and refusals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bucket_contract import BASE, PROMISES
from faulty import FORWARDED, REFUSED, Asked, Proxy, always, at_random, faulty, in_turn
from objectstores import GoogleStore

from habanero_receiver.doctor import examine
from habanero_receiver.errors import StoreError
from habanero_receiver.journal.journal import Journal
from habanero_receiver.journal.stores.client import StoreClient
from habanero_receiver.journal.stores.options import Bounds

PATIENT = Bounds(stall_timeout_s=0.5, retry_for_s=20, first_pause_s=0.005, last_pause_s=0.05)


@pytest.fixture
def url(gs: GoogleStore) -> str:
    return gs.make_bucket()


@pytest.fixture
def proxy(gs: GoogleStore) -> Iterator[Proxy]:
    with faulty(gs.endpoint, in_turn()) as started:
        yield started


@pytest.fixture
def client(gs: GoogleStore, url: str, proxy: Proxy) -> StoreClient:
    return gs.client_of(url, proxy.endpoint, PATIENT)


@pytest.mark.parametrize("fault", FORWARDED + REFUSED)
def test_a_create_through_a_broken_answer_is_judged_by_what_the_key_holds(
    client: StoreClient, proxy: Proxy, fault: str
) -> None:
    """The first writer is told that it won, the second that it lost, whatever became of their first attempts."""
    proxy.plan = in_turn(fault)
    assert client.create("v1/a", b"mine")
    proxy.plan = in_turn(fault)
    assert not client.create("v1/a", b"theirs")
    assert client.get("v1/a", max_bytes=10) == b"mine"
    assert proxy.broken[fault] == 2


@pytest.mark.parametrize("promise", PROMISES[:4], ids=lambda promise: promise.__name__)
def test_the_contract_holds_while_every_third_request_breaks(client: StoreClient, proxy: Proxy, promise) -> None:
    """As over S3."""
    proxy.plan = at_random(7, 0.33, FORWARDED + REFUSED)
    promise(client)
    assert proxy.broken


def test_a_create_names_the_generation_that_google_asks_for(client: StoreClient, proxy: Proxy) -> None:
    """The condition is Google's, not that of S3; what is to be replaced has none."""
    client.create("v1/a", b"mine")
    client.replace("v1/b", b"beat")
    first, second = (asked.headers for asked in proxy.asked)
    assert first["x-goog-if-generation-match"] == "0"
    assert not any("match" in name.lower() for name in second)


def test_a_store_that_ignores_the_condition_is_refused(gs: GoogleStore, url: str, proxy: Proxy) -> None:
    """The probe before the first release finds it out: nothing is recorded, also by a server that starts later."""
    proxy.plan = always("unconditional")
    with pytest.raises(StoreError) as caught:
        Journal(gs.open(url, proxy.endpoint), "shop", "test", BASE).append(1, b"one")
    assert caught.value.code == "store-not-exclusive"
    proxy.plan = in_turn()
    with pytest.raises(StoreError) as caught:
        Journal(gs.open(url, proxy.endpoint), "shop", "test", BASE).append(1, b"one")
    assert caught.value.code == "store-not-exclusive"
    assert Journal(gs.open(url), "shop", "test", BASE).entry(1) is None


def test_a_list_goes_on_over_pages(client: StoreClient, proxy: Proxy) -> None:
    """All keys are there once, in order, though one answer holds but a part of them."""
    keys = [f"v1/many/{number:03d}" for number in range(130)]
    assert client.create_all(dict.fromkeys(keys, b"x")) == []
    assert client.list("v1/many") == keys
    pages = [asked for asked in proxy.asked if "list-type=2" in asked.path]
    assert len(pages) == 2 and "continuation-token" in pages[1].path


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("answer:403:<Error><Code>AccessDenied</Code></Error>", "store-denied"),
        ("answer:401:<Error><Code>AuthenticationRequired</Code></Error>", "store-denied"),
        ("answer:404:<Error><Code>NoSuchBucket</Code></Error>", "store-no-bucket"),
        ("answer:501:<Error><Code>NotImplemented</Code></Error>", "store-not-exclusive"),
    ],
    ids=["denied", "no token", "no bucket", "no conditions"],
)
def test_refusals_are_told_in_plain_words(client: StoreClient, proxy: Proxy, answer: str, code: str) -> None:
    """Each has the code that S3's has."""

    def writes(asked: Asked) -> bool:
        return asked.method == "PUT"

    proxy.plan = always(answer, writes)
    with pytest.raises(StoreError) as caught:
        client.create("v1/a", b"mine")
    assert caught.value.code == code


def test_the_doctor_is_content(gs: GoogleStore, url: str) -> None:
    """Every check passes, and nothing of it is left."""
    found = list(examine(url, gs.environ()))
    assert [finding.error for finding in found] == [None] * 11
    assert gs.open(url).folders("v1") == []

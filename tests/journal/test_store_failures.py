"""What a store, a network and a proxy can do to a client: the same promises, or an error that says what to do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from bucket_contract import BASE, PROMISES, creates_once, lists_one_folder
from faulty import FAULTS, FORWARDED, REFUSED, Asked, Proxy, always, at_random, faulty, in_turn
from objectstores import QUICK, ObjectStore

from habanero_receiver.errors import HabaneroError, StoreError
from habanero_receiver.journal.bucket import TooLargeError
from habanero_receiver.journal.journal import Journal
from habanero_receiver.journal.stores.client import StoreClient
from habanero_receiver.journal.stores.options import Bounds

ANSWERING = Bounds(stall_timeout_s=0.3, retry_for_s=20, first_pause_s=0.005, last_pause_s=0.05)
"""Patient, but quick to give up one attempt."""


@pytest.fixture
def url(s3: ObjectStore) -> str:
    return s3.make_bucket()


@pytest.fixture
def proxy(s3: ObjectStore) -> Iterator[Proxy]:
    """A proxy before the store that breaks nothing until it is told to."""
    with faulty(s3.endpoint, in_turn()) as started:
        yield started


@pytest.fixture
def client(s3: ObjectStore, url: str, proxy: Proxy) -> StoreClient:
    return s3.client_of(url, proxy.endpoint, ANSWERING)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_create_survives_a_broken_answer(client: StoreClient, proxy: Proxy, fault: str) -> None:
    """Whatever became of the first attempt, the writer is told that it won, once, and its bytes are there."""
    proxy.plan = in_turn(fault)
    assert client.create("v1/a", b"mine")
    assert client.get("v1/a", max_bytes=10) == b"mine"
    assert proxy.broken[fault] == 1


@pytest.mark.parametrize("fault", FORWARDED + REFUSED)
def test_a_create_that_comes_second_loses_however_its_answer_breaks(
    client: StoreClient, proxy: Proxy, fault: str
) -> None:
    """A loser is never told that it won, and what the winner wrote stays."""
    client.create("v1/a", b"theirs")
    proxy.plan = in_turn(fault, fault)
    assert not client.create("v1/a", b"mine")
    assert client.get("v1/a", max_bytes=10) == b"theirs"


@pytest.mark.parametrize("fault", FAULTS)
def test_reads_and_lists_are_tried_again(client: StoreClient, proxy: Proxy, fault: str) -> None:
    """One broken answer is not an error, and half of a body is never taken for the whole."""
    client.create("v1/a/b", b"0123456789" * 100)
    proxy.plan = in_turn(fault)
    assert client.get("v1/a/b", max_bytes=2000) == b"0123456789" * 100
    proxy.plan = in_turn(fault)
    assert client.list("v1/a") == ["v1/a/b"]


@pytest.mark.parametrize("promise", [creates_once, lists_one_folder], ids=lambda promise: promise.__name__)
def test_the_contract_holds_while_every_third_request_breaks(client: StoreClient, proxy: Proxy, promise) -> None:
    """Faults that an attempt can outlive change nothing of what a bucket promises."""
    assert promise in PROMISES
    proxy.plan = at_random(7, 0.33, FORWARDED + REFUSED)
    promise(client)
    assert proxy.broken.total() > 0


def test_many_writers_through_a_faulty_proxy_lose_and_double_nothing(
    s3: ObjectStore, url: str, proxy: Proxy
) -> None:
    """Eight writers, thirty entries, every fourth request broken: each entry is one writer's, after the one before."""
    proxy.plan = at_random(3, 0.25, FORWARDED + REFUSED)
    won: dict[int, list[int]] = {number: [] for number in range(8)}
    until, errors = 30, []

    def write(number: int) -> None:
        journal = Journal(s3.client_of(url, proxy.endpoint, ANSWERING), "shop", "test", BASE)
        seq, before = 1, b"base"
        try:
            while seq <= until:
                while (found := journal.entry(seq)) is not None:
                    seq, before = seq + 1, found
                mine = b"%d by %d after %s" % (seq, number, before.partition(b" a")[0])
                if seq <= until and journal.append(seq, mine):
                    won[number].append(seq)
        except HabaneroError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in won]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert not errors
    journal = Journal(s3.client_of(url), "shop", "test", BASE)
    before = b"base"
    for seq in range(1, until + 1):
        found = journal.entry(seq)
        (owner,) = [number for number, seqs in won.items() if seq in seqs]
        assert found == b"%d by %d after %s" % (seq, owner, before)
        before = b"%d by %d" % (seq, owner)
    assert sum(map(len, won.values())) == until and journal.entry(until + 1) is None


def test_a_hostile_store_cannot_fill_the_memory(client: StoreClient, proxy: Proxy) -> None:
    """Ten gigabytes where a kilobyte belongs: refused by the length that is said."""
    proxy.plan = always("endless")
    with pytest.raises(TooLargeError):
        client.get("v1/a", max_bytes=1024)
    assert proxy.broken["bytes sent"] < 64 * 2**20


def xml(code: str, message: str = "") -> str:
    return f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ("403:" + xml("AccessDenied"), "store-denied", "credentials"),
        ("403:" + xml("SignatureDoesNotMatch"), "store-denied", "SignatureDoesNotMatch"),
        ("401:", "store-denied", "credentials"),
        ("403:" + xml("RequestTimeTooSkewed", "The difference is too large."), "store-clock", "clock"),
        ("404:" + xml("NoSuchBucket"), "store-no-bucket", "no bucket"),
        ("404:<html>not found</html>", "store-endpoint", "does not speak"),
        ("301:" + xml("PermanentRedirect"), "store-endpoint", "another region"),
        ("400:" + xml("AuthorizationHeaderMalformed"), "store-endpoint", "region"),
        ("500:" + xml("InternalError"), "store", "out of order"),
        ("503:" + xml("SlowDown"), "store", "too busy"),
        ("429:", "store", "too busy"),
    ],
)
def test_every_refusal_is_told_in_plain_words(
    s3: ObjectStore, url: str, proxy: Proxy, answer: str, code: str, words: str
) -> None:
    """What the store answers becomes a code, a sentence and what to do; neither keys nor signatures are in it."""
    proxy.plan = always(f"answer:{answer}")
    client = s3.client_of(url, proxy.endpoint, replace(QUICK, retry_for_s=0.1))
    calls = lambda: client.get("v1/a", max_bytes=9), lambda: client.create("v1/a", b""), lambda: client.list("v1")
    for call in calls:
        with pytest.raises(StoreError) as caught:
            call()
        assert caught.value.code == code
        assert words in caught.value.message and caught.value.help
        assert s3.secret not in str(caught.value) and "Signature=" not in str(caught.value)


@pytest.mark.parametrize("status", ["501:" + xml("NotImplemented"), "501:"])
def test_a_store_without_create_only_writes_is_refused_with_help(
    s3: ObjectStore, url: str, proxy: Proxy, status: str
) -> None:
    """A store that says that it cannot is told apart from one that is out of order."""
    proxy.plan = always(f"answer:{status}", lambda asked: "if-none-match" in {name.lower() for name in asked.headers})
    with pytest.raises(StoreError) as caught:
        Journal(s3.client_of(url, proxy.endpoint), "shop", "test", BASE).append(1, b"one")
    assert caught.value.code == "store-not-exclusive"
    assert "If-None-Match" in caught.value.help


def test_a_store_that_ignores_the_condition_is_found_out_and_stays_so(s3: ObjectStore, url: str, proxy: Proxy) -> None:
    """Nothing is recorded, by this process nor by the next, which reads in the journal's format what was seen."""
    proxy.plan = always("unconditional")
    for _ in range(2):
        journal = Journal(s3.client_of(url, proxy.endpoint), "shop", "test", BASE)
        with pytest.raises(StoreError) as caught:
            journal.append(1, b"one")
        assert caught.value.code == "store-not-exclusive"
    with pytest.raises(StoreError) as caught:
        Journal(s3.client_of(url), "shop", "test", BASE).check_format()
    assert caught.value.code == "store-not-exclusive"


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [("http://127.0.0.1:1", "store-unreachable"), ("https://no-such-store.invalid", "store-unreachable")],
)
def test_an_address_where_nothing_is_is_said_to_be_one(s3: ObjectStore, url: str, endpoint: str, code: str) -> None:
    """A refused connection and a name that nobody has."""
    with pytest.raises(StoreError) as caught:
        s3.client_of(url, endpoint).check()
    assert caught.value.code == code and endpoint in caught.value.message


def test_https_to_a_port_without_it_is_said_to_be_that(s3: ObjectStore, url: str) -> None:
    """A certificate problem is not taken for an outage, and not tried again and again."""
    with pytest.raises(StoreError, match="certificate") as caught:
        s3.client_of(url, s3.endpoint.replace("http:", "https:")).check()
    assert caught.value.code == "store-unreachable"


def test_a_store_that_never_answers_is_given_up(s3: ObjectStore, url: str, proxy: Proxy) -> None:
    """Stalled answers end in an error of their own, after a bounded number of attempts."""
    proxy.plan = always("stalled before")
    with pytest.raises(StoreError) as caught:
        s3.client_of(url, proxy.endpoint, QUICK).get("v1/a", max_bytes=9)
    assert caught.value.code == "store-timeout"
    assert 1 <= proxy.broken["stalled before"] <= 5


def test_every_request_to_a_store_of_ones_own_asks_for_consistent_reads(client: StoreClient, proxy: Proxy) -> None:
    """Tigris answers from the nearest region otherwise, which may not have heard yet."""
    client.create("v1/a", b"one")
    client.create("v1/a", b"two")
    client.list("v1")
    client.remove("v1/a")
    assert {asked.method for asked in proxy.asked} == {"PUT", "GET", "DELETE"}
    for asked in proxy.asked:
        assert {name.lower(): value for name, value in asked.headers.items()}["x-tigris-consistent"] == "true"


def test_a_redirect_to_another_host_does_not_take_the_signature_along(
    s3: ObjectStore, url: str, proxy: Proxy
) -> None:
    """Whoever answers with a redirect does not get the credentials sent anywhere."""
    with faulty(s3.endpoint, in_turn()) as elsewhere:
        proxy.plan = lambda asked: f"redirect:{elsewhere.endpoint}"
        s3.client_of(url, proxy.endpoint, QUICK).get("v1/a", max_bytes=9)
        assert len(elsewhere.asked) == 1
        assert "authorization" not in {name.lower() for name in elsewhere.asked[0].headers}


def test_a_list_stops_at_its_bound(client: StoreClient, proxy: Proxy) -> None:
    """Two keys asked for cost one page, however many there are; foreign names among them are passed over."""
    client.create_all({f"v1/hosts/{number:04d}": b"" for number in range(30)})
    proxy.asked.clear()
    assert client.list("v1/hosts", max_keys=2) == ["v1/hosts/0000", "v1/hosts/0001"]
    assert len(proxy.asked) == 1


def is_read_of(key: str):
    def when(asked: Asked) -> bool:
        return asked.method == "GET" and asked.path.endswith(key)

    return when


def test_a_stale_read_of_the_entry_before_is_an_error_and_records_nothing(
    client: StoreClient, proxy: Proxy
) -> None:
    """A store that forgets for a moment makes a push fail, never a gap."""
    journal = Journal(client, "shop", "test", BASE)
    assert journal.append(1, b"one")
    proxy.plan = always("answer:404:" + xml("NoSuchKey"), is_read_of("00000001.json"))
    with pytest.raises(StoreError) as caught:
        journal.append(2, b"two")
    assert caught.value.code == "journal-gap"
    proxy.plan = in_turn()
    assert journal.entry(2) is None and journal.append(2, b"two")

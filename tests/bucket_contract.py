"""What every kind of bucket promises, as checks that any of them can be put through."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from habanero_receiver.errors import StoreError
from habanero_receiver.journal.bucket import Bucket, TooLargeError
from habanero_receiver.journal.journal import Journal

BASE = "sha256:" + "ab" * 32


def creates_once(bucket: Bucket) -> None:
    """The first create wins, the same bytes again are no error, other bytes lose and change nothing."""
    assert bucket.create("v1/a/b.json", b"one")
    assert bucket.create("v1/a/b.json", b"one")
    for other in (b"two", b"one and more", b"on", b""):
        assert not bucket.create("v1/a/b.json", other)
    assert bucket.get("v1/a/b.json", max_bytes=100) == b"one"
    assert bucket.create("v1/a/empty", b"")
    assert bucket.get("v1/a/empty", max_bytes=0) == b""


def reads_under_a_limit(bucket: Bucket) -> None:
    """A key may hold exactly the limit; one byte more is an error that names the key; what is not there is None."""
    bucket.create("v1/a", b"12345")
    assert bucket.get("v1/a", max_bytes=5) == b"12345"
    for limit in (4, 0):
        with pytest.raises(TooLargeError, match="v1/a"):
            bucket.get("v1/a", max_bytes=limit)
    assert bucket.get("v1/none", max_bytes=5) is None


def keeps_every_byte(bucket: Bucket) -> None:
    """Any bytes come back as they were, also megabytes of them."""
    for key, data in {"v1/all": bytes(range(256)) * 7, "v1/large": b"\r\n\0x" * 2**20}.items():
        assert bucket.create(key, data)
        assert bucket.get(key, max_bytes=len(data)) == data


def makes_many(bucket: Bucket) -> None:
    """Each is made once, those with other bytes are given back; what is too large is left out of what is read."""
    bucket.create("v1/a/taken", b"before")
    objects = {"v1/a/taken": b"after", **{f"v1/b/{number}": b"%d" % number for number in range(20)}}
    assert bucket.create_all(objects) == ["v1/a/taken"]
    found = bucket.get_all(dict.fromkeys([*objects, "v1/b/none"], 10))
    assert found == {**objects, "v1/a/taken": b"before"}
    assert bucket.create_all({}) == [] and bucket.get_all({}) == {}
    assert bucket.get_all({"v1/a/taken": 10, "v1/b/11": 1}) == {"v1/a/taken": b"before"}


def replaces_and_removes(bucket: Bucket) -> None:
    """Heartbeats are replaced and dropped; dropping twice is fine."""
    bucket.replace("v1/hosts/one.json", b"1")
    bucket.replace("v1/hosts/one.json", b"2")
    assert bucket.get("v1/hosts/one.json", max_bytes=10) == b"2"
    bucket.remove("v1/hosts/one.json")
    bucket.remove("v1/hosts/one.json")
    assert bucket.get("v1/hosts/one.json", max_bytes=10) is None


def lists_one_folder(bucket: Bucket) -> None:
    """The keys directly below a folder, sorted, at most so many; a folder that is not there is empty."""
    for name in ("b", "a", "c"):
        bucket.create(f"v1/hosts/{name}.json", b"")
    bucket.create("v1/hosts/deeper/d.json", b"")
    bucket.create("v1/hosts2/e.json", b"")
    assert bucket.list("v1/hosts") == ["v1/hosts/a.json", "v1/hosts/b.json", "v1/hosts/c.json"]
    assert len(bucket.list("v1/hosts", max_keys=2)) == 2
    assert bucket.list("v1") == bucket.list("v1/none") == []


def lists_folders(bucket: Bucket) -> None:
    """Where keys lie somewhere below, one level deep, sorted, at most so many; none of a missing folder."""
    for key in ("live/ab/journal/1", "live/ab/journal/2", "test/cd/format", "live-2/x", "a", "z", "x/y"):
        bucket.create(f"v1/shop/{key}", b"")
    assert bucket.folders("v1/shop") == ["v1/shop/live", "v1/shop/live-2", "v1/shop/test", "v1/shop/x"]
    assert bucket.folders("v1/shop/live") == ["v1/shop/live/ab"]
    assert len(bucket.folders("v1/shop/", max_folders=2)) == 2
    assert bucket.folders("v1/none") == bucket.folders("v1/shop/x") == []


def refuses_what_is_no_key(bucket: Bucket) -> None:
    """A key is plain words between slashes; anything else is refused before the store is asked."""
    for key in (
        "",
        "/etc/passwd",
        "../x",
        "v1/../x",
        "v1//x",
        ".tmp/x",
        "v1/.x",
        "v1/x\n",
        "v1/é",
        "a" * 201,
        "v1/x?y",
    ):
        calls: list[Callable[[], object]] = [
            lambda key=key: bucket.create(key, b"x"),  # type: ignore[misc]  # a default argument binds the key
            lambda key=key: bucket.get(key, max_bytes=1),  # type: ignore[misc]  # likewise
            lambda key=key: bucket.replace(key, b"x"),  # type: ignore[misc]  # likewise
            lambda key=key: bucket.remove(key),  # type: ignore[misc]  # likewise
        ]
        for call in calls:
            with pytest.raises(StoreError) as caught:
                call()
            assert caught.value.code == "store-key"


def one_of_many_writers_wins(bucket: Bucket) -> None:
    """Of writers that start together exactly one makes the key, is told so, and its bytes are there."""
    writers = 6
    for seq in range(5):
        start = threading.Barrier(writers)
        won: list[int] = []

        def write(number: int, key: str = f"v1/race/{seq}", start: threading.Barrier = start, won=won) -> None:
            start.wait(10)
            if bucket.create(key, b"writer %d" % number):
                won.append(number)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(won) == 1
        assert bucket.get(f"v1/race/{seq}", max_bytes=20) == b"writer %d" % won[0]


def carries_a_journal(bucket: Bucket) -> None:
    """Entries in order, once; the store is seen to refuse a second create before the first is written."""
    journal = Journal(bucket, "shop", "test", BASE)
    assert journal.append(1, b"one") and journal.append(1, b"one") and not journal.append(1, b"two")
    with pytest.raises(StoreError, match="no release 2"):
        journal.append(3, b"three")
    assert journal.append(2, b"two")
    journal.check_format()
    digests = journal.put_blobs([b"source", b"code"])
    assert [journal.get_blob(digest, 10) for digest in digests] == [b"source", b"code"]
    assert journal.has_blob(digests[0]) and not journal.has_blob("0" * 64)
    journal.put_host("box.1", b"{}")
    assert journal.hosts() == {"box.1": b"{}"}
    journal.drop_host("box.1")
    assert journal.hosts() == {}


def reads_aside(bucket: Bucket) -> None:
    """The same keys are seen aside as are made here, and the other way round."""
    bucket.create("v1/a", b"here")
    with bucket.aside() as aside:
        assert aside.get("v1/a", max_bytes=10) == b"here"
        assert aside.create("v1/b", b"aside") and not aside.create("v1/a", b"aside")
        assert aside.list("v1") == ["v1/a", "v1/b"]
        with pytest.raises(TooLargeError, match="v1/a"):
            aside.get("v1/a", max_bytes=1)
    assert bucket.get("v1/b", max_bytes=10) == b"aside"


PROMISES: tuple[Callable[[Bucket], None], ...] = (
    creates_once, reads_under_a_limit, keeps_every_byte, makes_many, replaces_and_removes, lists_one_folder,
    lists_folders, refuses_what_is_no_key, one_of_many_writers_wins, carries_a_journal, reads_aside,
)  # fmt: skip

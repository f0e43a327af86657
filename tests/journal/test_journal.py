"""The journal's keys and their promises, over a directory and over stores that misbehave."""

from __future__ import annotations

import hashlib
import json

import pytest

from habanero_receiver.errors import StoreError
from habanero_receiver.journal.directory import DirectoryBucket
from habanero_receiver.journal.journal import Journal
from habanero_receiver.journal.notes import MAX_NOTE_BYTES

HEX = "0123456789abcdef" * 4
FOLDER = f"v1/shop/test/{HEX}"


@pytest.fixture
def bucket(tmp_path):
    return DirectoryBucket(tmp_path)


@pytest.fixture
def journal(bucket):
    return Journal(bucket, "shop", "test", f"sha256:{HEX}")


def test_the_keys_are_those_of_the_format(journal, bucket):
    """Other programs, and other versions of this one, find everything where the format says."""
    digest = journal.put_blob(b"blob")
    journal.append(1, b"envelope")
    journal.put_host("web-1.17", b"{}")
    journal.put_verdict(1, "web-1", b"{}")
    found = sorted(path.relative_to(bucket.root).as_posix() for path in bucket.root.rglob("*") if path.is_file())
    assert found == sorted([
        f"v1/blobs/sha256/{digest[:2]}/{digest}",
        f"{FOLDER}/format.json",
        f"{FOLDER}/journal/00000001.json",
        f"{FOLDER}/hosts/web-1.17.json",
        f"{FOLDER}/verdicts/00000001/web-1.json",
        f"{FOLDER}/verdicts/00000001.json",
    ])  # fmt: skip


def test_an_entry_is_the_envelope_byte_for_byte_and_for_ever(journal):
    """Appending the same again succeeds, anything else under that number loses."""
    assert journal.append(1, b"one")
    assert journal.append(1, b"one")
    assert not journal.append(1, b"another")
    assert journal.entry(1) == b"one"
    assert journal.entry(2) is None


def test_entries_come_in_order(journal):
    """A number is not given out before the one below it; nothing is written then."""
    with pytest.raises(StoreError) as caught:
        journal.append(2, b"two")
    assert caught.value.code == "journal-gap"
    journal.append(1, b"one")
    assert journal.append(2, b"two")
    for seq in (0, -1, 100_000_000):
        assert journal.entry(seq) is None
        with pytest.raises(StoreError):
            journal.append(seq, b"x")


def test_another_base_has_another_journal(journal, bucket):
    """A new deployment begins without entries, and shares the blobs."""
    journal.append(1, b"one")
    digest = journal.put_blob(b"blob")
    other = Journal(bucket, "shop", "test", "sha256:" + "f" * 64)
    assert other.entry(1) is None
    assert other.has_blob(digest)


def test_a_blob_is_what_its_name_says_or_nothing(journal, bucket):
    """Other bytes, more bytes and half of the bytes are all refused; a blob that is not there is None."""
    digest = journal.put_blob(b"some code")
    assert digest == hashlib.sha256(b"some code").hexdigest()
    assert journal.put_blob(b"some code") == digest
    assert journal.has_blob(digest)
    assert journal.get_blob(digest, 9) == b"some code"
    assert journal.get_blob("0" * 64, 9) is None
    assert not journal.has_blob("0" * 64)
    file = bucket.root / "v1/blobs/sha256" / digest[:2] / digest
    for wrong in (b"same size", b"some", b"", b"some code and more", b"x" * 100_000):
        file.write_bytes(wrong)
        with pytest.raises(StoreError) as caught:
            journal.get_blob(digest, 9)
        assert caught.value.code == "store-corrupt"
        with pytest.raises(StoreError):
            journal.put_blob(b"some code")


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n"])
def test_only_digests_name_blobs(journal, name):
    """A name from a manifest or a URL cannot reach any other file."""
    with pytest.raises(StoreError) as caught:
        journal.get_blob(name, 10)
    assert caught.value.code == "store-key"


@pytest.mark.parametrize(
    "text", ['{"version": 2}', '{"version": true}', "[]", "nonsense", '{"version": "1"}', "{}", "[" * 5000]
)
def test_a_journal_of_another_version_is_not_touched(journal, bucket, text):
    """What it means is not known here: it is neither read at boot nor appended to."""
    file = bucket.root / FOLDER / "format.json"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    with pytest.raises(StoreError) as caught:
        journal.check_format()
    assert caught.value.code == "store-format"
    with pytest.raises(StoreError):
        journal.append(1, b"one")
    assert journal.entry(1) is None


def test_the_format_may_say_more_than_we_do(journal, bucket):
    """Version 1 written by other hands, with other words, is version 1."""
    bucket.create(f"{FOLDER}/format.json", json.dumps({"version": 1, "note": "hello"}).encode())
    journal.check_format()
    assert journal.append(1, b"one")


class LastWriteWins(DirectoryBucket):
    """A store that ignores that a create must not replace, as some do."""

    def create(self, key: str, data: bytes) -> bool:
        self.replace(key, data)
        return True


def test_a_store_that_lets_two_writers_win_is_found_out(tmp_path):
    """Before the first entry the store is seen to refuse a second create; one that does not is refused with help."""
    journal = Journal(LastWriteWins(tmp_path), "shop", "test", f"sha256:{HEX}")
    with pytest.raises(StoreError) as caught:
        journal.append(1, b"one")
    assert caught.value.code == "store-not-exclusive"
    assert journal.entry(1) is None


def test_heartbeats_are_read_as_far_as_they_can_be(journal, bucket):
    """Foreign files and oversized ones are passed over: a heartbeat is trusted for nothing and can break nothing."""
    journal.put_host("a.1", b"one")
    journal.put_host("b.2", b"x" * (MAX_NOTE_BYTES + 1))
    (bucket.root / FOLDER / "hosts" / "README").write_text("what is this")
    assert journal.hosts() == {"a.1": b"one"}
    journal.drop_host("a.1")
    assert journal.hosts() == {}


@pytest.mark.parametrize("name", ["../x", "a/b/../../c", ".hidden", "a b"])
def test_the_name_of_a_host_is_a_plain_word(journal, name):
    """A machine's name comes from outside; it cannot name another key."""
    with pytest.raises(StoreError):
        journal.put_host(name, b"{}")


def test_verdicts_are_created_once(journal):
    """Who has said that a release is bad cannot take it back or say another thing."""
    assert journal.put_verdict(3, "web-1", b"bad")
    assert not journal.put_verdict(3, "web-1", b"good")
    assert journal.verdicts(3) == {"web-1": b"bad"}
    assert journal.verdicts(4) == {} and journal.newest_verdict(4) is None


def test_the_newest_verdict_is_one_read_away(journal, bucket):
    """Whoever looks again and again needs no listing; what was left under its key does not keep a new one back."""
    bucket.create(f"{FOLDER}/verdicts/00000003.json", b"of a journal that was here before")
    journal.put_verdict(3, "web-1", b"bad")
    assert journal.newest_verdict(3) == b"bad"

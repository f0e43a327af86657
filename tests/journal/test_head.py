"""The head of a journal, whatever somebody put into the bucket."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from deployment import TARGET, Deployment, Key

from habanero_receiver.errors import ConflictError, HabaneroError, StoreError
from habanero_receiver.journal.directory import DirectoryBucket
from habanero_receiver.journal.head import Found, find_head
from habanero_receiver.journal.journal import Journal

SOURCES = {"shop/__init__.py": "", "shop/pricing.py": "PRICE = 1\n"}


@pytest.fixture
def app(tmp_path):
    deployment = Deployment(tmp_path, SOURCES)
    for price in (2, 3):
        deployment.push({"shop.pricing": f"PRICE = {price}\n"})
    return deployment


def head(app: Deployment, **settings: str) -> Found:
    return find_head(app.journal, app.config(**settings).policy(), app.base.digest)


def test_an_empty_journal_has_the_base_as_head(tmp_path):
    """Nothing pushed: number 0, the base's digest, nothing refused."""
    app = Deployment(tmp_path, SOURCES)
    found = head(app)
    assert (found.head.seq, found.head.digest, found.statement, found.last, found.refused) == (
        0, app.base.digest, None, 0, None,
    )  # fmt: skip


def test_the_last_entry_is_the_head(app):
    """Number, digest and time of the newest release."""
    found = head(app)
    assert found.head == app.head
    assert found.statement is not None
    assert found.statement.seq == found.last == 2
    assert found.refused is None


def damage(app: Deployment, how: str) -> None:
    """Make entry 3 something that must not be applied."""
    if how == "stranger":
        app.push({"shop.pricing": "PRICE = 666\n"}, key=Key())
        return
    fields = {
        "wrong prev": {"prev": "sha256:" + "0" * 64},
        "wrong base": {"base": "sha256:" + "0" * 64},
        "wrong target": {"target": TARGET + "2"},
    }
    if how in fields:
        app.push({"shop.pricing": "PRICE = 666\n"}, **fields[how])
        return
    app.push({"shop.pricing": "PRICE = 666\n"})
    file = app.entry_file(3)
    good = file.read_bytes()
    envelope = json.loads(good)
    if how == "altered payload":
        envelope["payload"] = envelope["payload"][:-8] + "AAAAAAA="
    elif how == "altered signature":
        envelope["signatures"][0]["sig"] = "A" * 86 + "=="
    elif how == "unsigned":
        envelope["signatures"] = []
    whole = json.dumps(envelope).encode()
    others = {
        "torn": good[: len(good) // 2],
        "empty": b"",
        "html": b"<html>200 OK</html>",
        "huge": b" " * 20_000,
        "copy of 2": app.entry_file(2).read_bytes(),
        "nul": b"\0" * 500,
    }
    file.write_bytes(others.get(how, whole))


HOWS = [
    "stranger", "wrong prev", "wrong base", "wrong target", "altered payload", "altered signature", "unsigned",
    "torn", "empty", "html", "huge", "copy of 2", "nul",
]  # fmt: skip


@pytest.mark.parametrize("how", HOWS)
def test_what_is_not_a_good_release_is_never_the_head(app, how):
    """Forged, torn, altered, misplaced or oversized: the head stays the last good one, and the refusal is reported."""
    good = app.head
    damage(app, how)
    found = head(app)
    assert found.head == good
    assert found.last == 3
    assert isinstance(found.refused, HabaneroError)


def test_a_gap_ends_the_journal(app):
    """Entry 4 without an entry 3 is as if it were not there."""
    good = app.head
    app.push({"shop.pricing": "PRICE = 4\n"})
    app.push({"shop.pricing": "PRICE = 5\n"})
    app.entry_file(3).unlink()
    assert head(app).head == good


def test_an_altered_predecessor_breaks_the_chain(app):
    """The head names its predecessor by digest: over another one it is not what was signed."""
    app.entry_file(1).write_bytes(app.entry_file(2).read_bytes())
    found = head(app)
    assert found.head.seq == 0
    assert isinstance(found.refused, ConflictError)


def test_only_the_head_needs_a_key_that_is_trusted_today(tmp_path):
    """Releases below the head may be of keys that were trusted once; hashes cover them."""
    app = Deployment(tmp_path, SOURCES)
    app.push({"shop.pricing": "PRICE = 2\n"}, key=Key())
    app.push({"shop.pricing": "PRICE = 3\n"})
    assert head(app).head.seq == 2


def test_a_revoked_key_takes_its_releases_with_it(app):
    """Revoked means not trusted for the head either, until it is signed again."""
    both = f"{app.key.line}\n{Key('ben').line}"
    found = head(app, HABANERO_TRUSTED_KEYS=both, HABANERO_REVOKED_KEYS=app.key.public.keyid)
    assert found.head.seq == 0
    assert found.refused is not None
    assert found.refused.code == "unauthorized"


def test_a_threshold_counts_for_the_head(app):
    """Two signatures are asked for; one is as none."""
    found = head(app, HABANERO_TRUSTED_KEYS=f"{app.key.line}\n{Key('ben').line}", HABANERO_THRESHOLD="2")
    assert found.head.seq == 0


class Flickering(DirectoryBucket):
    """Shows each entry once, and then not any more, as a store does whose reads are stale."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.shown: set[str] = set()

    def get(self, key: str, *, max_bytes: int) -> bytes | None:
        if key in self.shown:
            return None
        data = super().get(key, max_bytes=max_bytes)
        if data is not None:
            self.shown.add(key)
        return data


def test_an_entry_that_was_read_is_not_read_again(app):
    """A stale answer in the middle of a search does not make an older release of the newest one."""
    journal = Journal(Flickering(app.bucket_folder), "shop", "test", app.base.digest)
    found = find_head(journal, app.config().policy(), app.base.digest)
    assert found.head == app.head and found.refused is None
    assert found.envelope == app.entry_file(app.head.seq).read_bytes()


def test_a_slow_bucket_ends_the_search(app, monkeypatch):
    """The start does not hang on a store: past the budget it counts as one that cannot be used."""
    clock = iter(range(0, 1000, 3))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    with pytest.raises(StoreError, match="too long"):
        head(app)

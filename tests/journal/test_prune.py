"""Prune removes what nobody needs, and whatever moment it is cut short at, what is left is valid."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from deployment import START, TARGET, Deployment

from habanero_receiver.errors import StoreError
from habanero_receiver.journal import prune
from habanero_receiver.journal.bucket import MAX_LISTED_KEYS
from habanero_receiver.journal.directory import DirectoryBucket
from habanero_receiver.journal.head import find_head
from habanero_receiver.journal.images import load_images
from habanero_receiver.journal.journal import Journal
from habanero_receiver.journal.prune import Plan, Rules
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.manifest import BlobRef, Manifest, ModuleEntry
from habanero_receiver.release.statement import Statement

LATER = START + timedelta(days=60)
RULES = Rules(days=30, keep=2, running=5)
SOURCES = {"shop/__init__.py": "", "shop/cart.py": "x = 0\n"}


class Forgetful(DirectoryBucket):
    """Answers one of its lists, the n-th, as if nothing were there."""

    def __init__(self, folder: Path, at: int) -> None:
        super().__init__(folder)
        self.left = at

    def list(self, folder: str, *, max_keys: int = MAX_LISTED_KEYS) -> list[str]:
        self.left -= 1
        return [] if self.left == 0 else super().list(folder, max_keys=max_keys)

    def folders(self, folder: str, *, max_folders: int = MAX_LISTED_KEYS) -> list[str]:
        self.left -= 1
        return [] if self.left == 0 else super().folders(folder, max_folders=max_folders)


@pytest.fixture
def shop(tmp_path: Path) -> Deployment:
    """Five releases, each with another shop.cart."""
    shop = Deployment(tmp_path, SOURCES)
    for number in range(1, 6):
        shop.push({"shop.cart": f"x = {number}\n"})
    return shop


def find(shop: Deployment, rules: Rules = RULES, *, now=LATER) -> Plan:
    return prune.find(shop.journal, TARGET, rules, now)


def blobs(shop: Deployment) -> set[str]:
    return {file.name for file in (shop.bucket_folder / "v1/blobs").rglob("*") if file.is_file()}


def loads(shop: Deployment, seq: int) -> bool:
    """Whether release `seq` could be gone back to."""
    from habanero_receiver.release.envelope import Envelope
    from habanero_receiver.release.statement import Statement

    statement = Statement.decode(Envelope.decode(shop.journal.entry(seq) or b"").payload)
    try:
        load_images(shop.journal, statement, shop.policy(), shop.root)
    except StoreError:
        return False
    return True


def test_old_releases_lose_their_code_and_keep_their_entries(shop) -> None:
    """The newest and the one before it stay whole; the chain is as it was; a second prune finds nothing."""
    plan = find(shop)
    assert (plan.below, plan.releases, plan.bases) == (4, (1, 2, 3), ())
    assert prune.carry_out(shop.journal, plan) == 12, "manifest, source, code and units of three releases"
    assert [loads(shop, seq) for seq in range(1, 6)] == [False, False, False, True, True]
    assert find_head(shop.journal, shop.policy(), shop.base.digest).head == shop.head
    assert find(shop).blobs == ()


@pytest.mark.parametrize(
    ("rules", "now", "below"),
    [
        (RULES, START + timedelta(days=1), 1),
        (RULES, START + timedelta(days=30, minutes=2, seconds=30), 4),
        (Rules(30, 4, 5), LATER, 2),
        (Rules(30, 100, 5), LATER, 1),
        (Rules(30, 2, 3), LATER, 2),
        (Rules(30, 2, 0), LATER, 1),
    ],
    ids=["all young", "two young", "keep four", "keep all", "a worker runs an older one", "the base runs"],
)
def test_what_is_young_kept_or_running_stays(shop, rules, now, below) -> None:
    """By age, by number, and by what runs and what that would fall back to."""
    assert find(shop, rules, now=now).below == below


def test_one_list_that_is_stale_costs_no_code(shop, tmp_path) -> None:
    """Whichever list is empty: releases are whole or gone, and another app's keep all of theirs."""
    code = shop.journal.put_blob(b"another app's")
    other = Journal(shop.bucket, "blog", "live", shop.base.digest)
    statement = Statement.decode(Envelope.decode(shop.entry_file(1).read_bytes()).payload)
    manifest = Manifest({"blog": ModuleEntry(False, *[BlobRef(code, 13)] * 3)}).encode()
    other.put_blob(manifest)
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    named = statement._replace(manifest_digest=digest, manifest_size=len(manifest))
    other.append(1, shop.sign(named).encode())
    full = tmp_path / "full"
    shop.bucket_folder.rename(full)
    for at in itertools.count(1):
        shutil.rmtree(shop.bucket_folder, ignore_errors=True)
        shutil.copytree(full, shop.bucket_folder)
        bucket = Forgetful(shop.bucket_folder, at)
        journal = Journal(bucket, "shop", "test", shop.base.digest)
        prune.carry_out(journal, prune.find(journal, TARGET, RULES, LATER))
        assert other.has_blob(code), f"list {at}"
        for seq in range(1, 6):
            mine = Statement.decode(Envelope.decode(shop.entry_file(seq).read_bytes()).payload)
            there = shop.journal.has_blob(mine.manifest_digest.removeprefix("sha256:"))
            assert loads(shop, seq) == there and (there or seq < 4), f"list {at}, release {seq}"
        if bucket.left > 0:
            break
    assert at > 10


def test_a_manifest_that_is_once_not_given_costs_no_code(shop) -> None:
    """Whichever read of a blob is stale when it is found out what may go: what stays has all of its code."""
    get = DirectoryBucket.get
    for at in range(1, 12):
        reads = itertools.count(1)

        class Stale(DirectoryBucket):
            def get(self, key: str, *, max_bytes: int, at: int = at, reads=reads) -> bytes | None:
                if "/blobs/" in key and next(reads) == at:
                    return None
                return get(self, key, max_bytes=max_bytes)

        journal = Journal(Stale(shop.bucket_folder), "shop", "test", shop.base.digest)
        plan = prune.find(journal, TARGET, RULES, LATER)
        assert len(plan.blobs) == 12, f"read {at}"


def test_code_that_a_later_release_needs_stays(shop) -> None:
    """Release 6 brings back what 2 had: the blobs of 2 are its own."""
    shop.push({"shop.cart": "x = 2\n"})
    prune.carry_out(shop.journal, find(shop, Rules(30, 2, 6)))
    assert [loads(shop, seq) for seq in (1, 2, 6)] == [False, True, True]


def redeployed(shop: Deployment) -> Deployment:
    """The same deployment on other code; the journal of the old one stays in the bucket."""
    shop.write("shop/cart.py", "x = 100\n")
    shop.head, shop.overlay = type(shop.head)(0, "", None), {}
    return shop


def test_the_journal_of_code_deployed_long_ago_goes_whole(shop) -> None:
    """Entries, notes and blobs; not while it is young, nor while a worker on it was alive lately."""
    old = shop.folder
    (old / "hosts").mkdir()
    (old / "hosts/box.1.json").write_text(json.dumps({"updated": LATER.timestamp() - 86_400}))
    redeployed(shop).push({"shop.cart": "x = 101\n"})
    rules = Rules(30, 2, 1)
    assert find(shop, rules).bases == ()
    (old / "hosts/box.1.json").write_text(json.dumps({"updated": START.timestamp()}))
    assert find(shop, rules, now=START + timedelta(days=20)).bases == ()
    plan = find(shop, rules)
    assert [base.entries for base in plan.bases] == [5]
    prune.carry_out(shop.journal, plan)
    assert not [file for file in old.rglob("*") if file.is_file()]
    assert len(blobs(shop)) == 4
    assert loads(shop, 1)
    assert find(shop, rules).bases == (), "an empty folder is no journal"


def test_other_targets_and_apps_are_left_alone(shop) -> None:
    """Their journals stay however old they are, and so does the code that they name."""
    for number, parts in enumerate((("shop", "live"), ("blog", "test"))):
        folder = shop.bucket_folder.joinpath("v1", *parts, f"{number}" * 64, "journal")
        folder.mkdir(parents=True)
        (folder / "00000001.json").write_bytes(shop.entry_file(1).read_bytes())
    plan = find(shop)
    assert plan.bases == ()
    prune.carry_out(shop.journal, plan)
    assert [loads(shop, seq) for seq in (1, 2, 3)] == [True, False, False]


def test_another_base_of_the_same_name_but_another_target_stays(shop) -> None:
    """The deployment's id is a part of the target."""
    redeployed(shop)
    assert prune.find(shop.journal, "shop/test#other", Rules(30, 2, 0), LATER).bases == ()


def test_what_cannot_be_read_ends_it_before_anything_went(shop) -> None:
    """What an unreadable entry needs is not known."""
    shop.entry_file(5).write_bytes(b"{}")
    before = blobs(shop)
    with pytest.raises(StoreError, match="00000005"):
        find(shop)
    assert blobs(shop) == before


class CutError(Exception):
    """The process was killed here."""


@pytest.mark.parametrize("after", range(0, 26, 3))
def test_cut_short_at_any_moment_what_is_left_is_valid(shop, after) -> None:
    """Each journal is a chain from 1, what stays can be loaded, and doing it again ends the same."""
    old_policy, old = shop.policy(), shop.base.digest
    redeployed(shop)
    for number in range(101, 105):
        shop.push({"shop.cart": f"x = {number}\n"})
    journal, left = shop.journal, [after]
    real = journal.bucket.remove

    def remove(key: str) -> None:
        if not left[0]:
            raise CutError
        left[0] -= 1
        real(key)

    journal.bucket.remove = remove  # type: ignore[method-assign]
    rules = Rules(30, 2, 4)
    with pytest.raises(CutError):
        prune.carry_out(journal, find(shop, rules))
    assert find_head(shop.journal, shop.policy(), shop.base.digest).head == shop.head
    assert loads(shop, 3)
    assert loads(shop, 4)
    other = type(shop.journal)(shop.bucket, "shop", "test", old)
    chain = find_head(other, old_policy, old)
    assert (chain.refused, chain.last) == (None, chain.head.seq)
    prune.carry_out(shop.journal, find(shop, rules))
    assert len(blobs(shop)) == 8
    assert other.entry(1) is None


def test_a_release_that_is_recorded_meanwhile_keeps_its_code(shop) -> None:
    """It brings back what release 1 had: before the batch it is spared, within it it is put back."""
    plan = find(shop)
    shop.push({"shop.cart": "x = 1\n"})
    assert prune.carry_out(shop.journal, plan) == 8
    assert loads(shop, 6)


def test_a_release_that_is_recorded_within_a_batch_gets_its_code_back(shop) -> None:
    """Recorded after the first removal: what went is put back from memory."""
    journal, done = shop.journal, []
    real = journal.bucket.remove

    def remove(key: str) -> None:
        real(key)
        if len(done) == 8:
            shop.overlay = {"shop.cart": "x = 1\n"}
            entry = shop.entry_file(6)
            shop.push({})
            assert entry.exists()
            for name in (key.rpartition("/")[2] for key in done):
                shop.blob_file(name).unlink(missing_ok=True)  # as if the push had found them before they went
        done.append(key)

    journal.bucket.remove = remove  # type: ignore[method-assign]
    prune.carry_out(journal, find(shop))
    assert loads(shop, 6)


def test_a_push_looks_once_more_after_it_was_recorded(shop) -> None:
    """What a prune took in between comes back from the pushing process's memory."""
    data = b"x = 77\n"
    [sha256] = shop.journal.put_blobs([data])
    prune.carry_out(shop.journal, find(shop))
    assert not shop.journal.has_blob(sha256)
    prune.keep_again(shop.journal, {sha256: lambda: data})
    assert shop.journal.get_blob(sha256, 100) == data

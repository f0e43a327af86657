"""The directory bucket, one process at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from habanero_receiver.errors import ConfigError, StoreError
from habanero_receiver.journal import directory as directory_module
from habanero_receiver.journal.bucket import TooLargeError, open_bucket
from habanero_receiver.journal.directory import DirectoryBucket


@pytest.fixture
def bucket(tmp_path: Path) -> DirectoryBucket:
    return DirectoryBucket(tmp_path / "deep" / "bucket")


def test_create_makes_a_key_once(bucket):
    """The first create wins, the same bytes again are no error, other bytes lose and change nothing."""
    assert bucket.create("v1/a/b.json", b"one")
    assert bucket.create("v1/a/b.json", b"one")
    assert not bucket.create("v1/a/b.json", b"two")
    assert not bucket.create("v1/a/b.json", b"one and more")
    assert bucket.get("v1/a/b.json", max_bytes=100) == b"one"


def test_get_reads_under_a_limit(bucket):
    """A key may hold exactly the limit; one byte more is an error that names the key, and is not read."""
    bucket.create("v1/a", b"12345")
    assert bucket.get("v1/a", max_bytes=5) == b"12345"
    with pytest.raises(TooLargeError, match="v1/a"):
        bucket.get("v1/a", max_bytes=4)


def test_get_stops_at_the_limit_of_a_huge_file(bucket):
    """Ten gigabytes where a kilobyte belongs cost a kilobyte."""
    bucket.create("v1/a", b"x")
    os.truncate(bucket.root / "v1" / "a", 10 * 2**30)
    with pytest.raises(TooLargeError):
        bucket.get("v1/a", max_bytes=1024)


def test_what_is_not_there_is_none(bucket):
    """Neither a missing key nor a missing bucket is an error to a reader."""
    assert bucket.get("v1/a", max_bytes=10) is None
    assert bucket.list("v1/hosts") == []
    assert bucket.check() is False


def test_replace_and_remove(bucket):
    """Heartbeats are replaced and dropped; dropping twice is fine."""
    bucket.replace("v1/hosts/one.json", b"1")
    bucket.replace("v1/hosts/one.json", b"2")
    assert bucket.get("v1/hosts/one.json", max_bytes=10) == b"2"
    bucket.remove("v1/hosts/one.json")
    bucket.remove("v1/hosts/one.json")
    assert bucket.list("v1/hosts") == []


def test_list_gives_the_keys_of_one_folder(bucket):
    """Only regular files directly below the folder, sorted, at most so many; temporary files are never among them."""
    for name in ("b", "a", "c"):
        bucket.create(f"v1/hosts/{name}.json", b"")
    bucket.create("v1/hosts/deeper/d.json", b"")
    assert bucket.list("v1/hosts") == ["v1/hosts/a.json", "v1/hosts/b.json", "v1/hosts/c.json"]
    assert len(bucket.list("v1/hosts", max_keys=2)) == 2
    assert bucket.list("v1") == []


def test_folders_are_listed_one_level_deep(bucket):
    """Where keys lie somewhere below; neither keys nor what no key could be named, and none of a missing folder."""
    for key in ("v1/shop/live/ab/journal/1.json", "v1/shop/test/cd/format.json", "v1/blobs/sha256/ab/abcd", "v1/x"):
        bucket.create(key, b"x")
    assert bucket.folders("v1") == ["v1/blobs", "v1/shop"]
    assert bucket.folders("v1/shop/") == ["v1/shop/live", "v1/shop/test"]
    assert bucket.folders("v1/shop", max_folders=1) in (["v1/shop/live"], ["v1/shop/test"])
    assert bucket.folders("v1/none") == []


def test_what_was_created_can_be_removed_and_created_anew(bucket):
    """Removing is for whoever decides it; twice is no error, and the key is free again."""
    bucket.create("v1/a/b", b"one")
    bucket.remove("v1/a/b")
    bucket.remove("v1/a/b")
    assert bucket.get("v1/a/b", max_bytes=10) is None
    assert bucket.create("v1/a/b", b"two")


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../x", "v1/../x", "v1//x", ".tmp/x", "v1/.x", "v1/x\n", "v1/é", "a" * 201]
)
def test_no_key_leads_out_of_the_bucket(bucket, key):
    """A key is plain words between slashes; anything else is refused before the disk is touched."""
    with pytest.raises(StoreError) as caught:
        bucket.create(key, b"x")
    assert caught.value.code == "store-key"
    assert not bucket.root.exists()


def test_links_pipes_and_folders_are_not_read(bucket, tmp_path):
    """Whoever can put things into the bucket cannot make a reader follow a link, hang on a pipe or list a folder."""
    bucket.create("v1/a", b"")
    (tmp_path / "secret").write_bytes(b"secret")
    (bucket.root / "v1" / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(bucket.root / "v1" / "pipe")
    (bucket.root / "v1" / "folder").mkdir()
    for name in ("link", "pipe", "folder"):
        with pytest.raises(StoreError):
            bucket.get(f"v1/{name}", max_bytes=100)
        assert not bucket.list(f"v1/{name}") if name == "folder" else True
    assert bucket.list("v1") == ["v1/a"]


def test_create_leaves_no_temporary_file(bucket):
    """Won or lost, nothing stays behind but the key."""
    bucket.create("v1/a", b"1")
    bucket.create("v1/a", b"2")
    bucket.replace("v1/b", b"2")
    assert list((bucket.root / ".tmp").iterdir()) == []


def test_temporary_files_of_the_dead_are_swept(bucket):
    """What a killed writer left goes after an hour; what a living one is at work on stays."""
    folder = bucket.root / ".tmp"
    folder.mkdir(parents=True)
    (folder / "old").write_bytes(b"x")
    (folder / "new").write_bytes(b"x")
    long_ago = (folder / "new").stat().st_mtime - directory_module.STALE_TEMPORARY_S - 1
    os.utime(folder / "old", (long_ago, long_ago))
    bucket.create("v1/a", b"1")
    assert [path.name for path in folder.iterdir()] == ["new"]


def test_a_created_key_is_synced_before_and_after_its_name(bucket, monkeypatch):
    """Bytes reach the disk before the name does, and the name before `create` returns."""
    bucket.create("v1/first", b"makes the folders")
    steps = []
    real_fsync, real_link = os.fsync, os.link
    monkeypatch.setattr(os, "fsync", lambda handle: (steps.append("sync"), real_fsync(handle))[1])
    monkeypatch.setattr(os, "link", lambda *paths: (steps.append("link"), real_link(*paths))[1])
    bucket.create("v1/a", b"1")
    assert steps == ["sync", "link", "sync"]


def test_many_are_created_as_one_is(bucket):
    """Each key is made once; those that hold other bytes are given back, the others made all the same."""
    bucket.create("v1/a/taken", b"before")
    bucket.create("v1/a/same", b"same")
    objects = {"v1/a/taken": b"after", "v1/a/same": b"same", "v1/b/new": b"new"}
    assert bucket.create_all(objects) == ["v1/a/taken"]
    kept = {key: bucket.get(key, max_bytes=10) for key in objects}
    assert kept == {"v1/a/taken": b"before", "v1/a/same": b"same", "v1/b/new": b"new"}
    assert bucket.create_all({}) == []
    assert list((bucket.root / ".tmp").iterdir()) == []


def test_the_bytes_of_many_keys_are_synced_before_their_names_and_those_before_the_end(bucket, monkeypatch):
    """Every file reaches the disk before it has its name, and every folder after its last name."""
    bucket.create_all({"v1/a/first": b"", "v1/b/first": b""})
    steps = []
    real_fsync, real_link = os.fsync, os.link

    def fsync(handle: int) -> None:
        real_fsync(handle)
        steps.append(Path(os.readlink(f"/proc/self/fd/{handle}")))

    def link(source: Path, target: Path) -> None:
        assert source in steps, "its bytes are not on the disk yet"
        real_link(source, target)
        steps.append(target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "link", link)
    keys = {"v1/a/1": b"1", "v1/a/2": b"2", "v1/b/1": b"3"}
    assert bucket.create_all(keys) == []
    for key in keys:
        path = bucket.root / key
        assert path.parent in steps[steps.index(path) :]


@pytest.mark.parametrize("failing", [1, 2, 3])
def test_one_of_many_that_cannot_be_written_is_an_error(bucket, monkeypatch, failing):
    """The caller hears of it when nobody writes any more; that key has no name, and no temporary file stays."""
    bucket.create("v1/first", b"")
    real = DirectoryBucket._temporary

    def full(self: DirectoryBucket, data: bytes):
        if data == b"%d" % failing:
            raise OSError(28, "No space left on device")
        return real(self, data)

    monkeypatch.setattr(DirectoryBucket, "_temporary", full)
    with pytest.raises(StoreError, match=f"v1/{failing}: No space left"):
        bucket.create_all({"v1/1": b"1", "v1/2": b"2", "v1/3": b"3"})
    assert f"v1/{failing}" not in bucket.list("v1")
    assert list((bucket.root / ".tmp").iterdir()) == []


def test_check_refuses_a_bucket_of_another_user(bucket, monkeypatch):
    """Somebody else's directory is not a place to keep code: the start is refused with the command that mends it."""
    bucket.create("v1/a", b"")
    assert bucket.check() is True
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ConfigError, match="belongs to user") as caught:
        bucket.check()
    assert caught.value.code == "bucket-owner"
    assert "chown" in caught.value.help


def test_a_bucket_that_is_a_file_is_an_error(tmp_path):
    """A path that is no directory is named, for reading and for writing."""
    (tmp_path / "bucket").write_bytes(b"")
    bucket = DirectoryBucket(tmp_path / "bucket")
    with pytest.raises(StoreError, match="not a directory"):
        bucket.check()
    with pytest.raises(StoreError):
        bucket.get("v1/a", max_bytes=1)
    with pytest.raises(StoreError):
        bucket.create("v1/a", b"1")


def test_a_full_disk_is_an_error_that_leaves_nothing(bucket, monkeypatch):
    """An error of the operating system becomes a StoreError; the key does not exist and no temporary file stays."""
    bucket.create("v1/first", b"")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        bucket.create("v1/a", b"1")
    assert bucket.get("v1/a", max_bytes=10) is None
    assert list((bucket.root / ".tmp").iterdir()) == []


def test_a_file_system_without_links_is_said_to_be_one(bucket, monkeypatch):
    """The message tells what is missing, not only that permission was denied."""

    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted", str(source), None, str(target))

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(StoreError) as caught:
        bucket.create("v1/a", b"1")
    assert "hard links" in caught.value.help


@pytest.mark.parametrize(("number", "word"), [(13, "user"), (30, "user"), (28, "room"), (5, "disk")])
def test_every_failure_of_the_disk_says_what_to_do(bucket, monkeypatch, number, word):
    """Rights, a read-only system, no space, a broken disk: each has help of its own."""

    def fail(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError) as caught:
        bucket.create("v1/a", b"1")
    assert word in caught.value.help


@pytest.mark.parametrize("url", ["ftp://bucket/x", "/var/lib/x", "http://x", "", "C:/x"])
def test_other_kinds_of_bucket_are_refused_with_help(url):
    """A kind that this version does not have is refused with those that it has."""
    with pytest.raises(ConfigError) as caught:
        open_bucket(url)
    assert caught.value.code == "bucket-scheme"
    assert "file:///" in caught.value.help


@pytest.mark.parametrize("url", ["file://host/x", "file:x", "file://", "file:///x?y", "file:///x#y"])
def test_a_url_without_an_absolute_path_is_refused(url):
    """Half a path would be another folder for each process."""
    with pytest.raises(ConfigError) as caught:
        open_bucket(url)
    assert caught.value.code == "bucket-url"


def test_open_bucket_takes_a_file_url(tmp_path):
    """The path may hold spaces, written as URLs write them."""
    opened = open_bucket(f"file://{tmp_path}/a%20b")
    assert isinstance(opened, DirectoryBucket)
    assert opened.root == tmp_path / "a b"

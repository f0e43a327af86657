"""The machine's own copy of its release: what starts when the bucket is gone, slow, damaged or was turned back."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from deployment import Deployment, Key
from serving import RATES, Shop, serve, wait_until

from habanero_receiver.errors import StoreError
from habanero_receiver.journal import pack
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.manifest import BlobRef

SOURCES = {"shop/__init__.py": "", "shop/pricing.py": "PRICE = 1\n", "shop/old.py": "AGE = 99\n"}
PRICE = "import shop.pricing; print(shop.pricing.PRICE)"


@pytest.fixture
def app(tmp_path):
    """Started once on release 2, so that the machine has a copy of it."""
    deployment = Deployment(tmp_path, SOURCES)
    for price in (2, 3):
        deployment.push({"shop.pricing": f"PRICE = {price}\ndef fail():\n    return 1 / 0  # of release {price - 1}\n"})
    done = deployment.start("-c", PRICE)
    assert (done.stdout, done.stderr) == ("3\n", "")
    return deployment


def packs(app: Deployment) -> list[Path]:
    return sorted(app.root.glob(".habanero/state/**/packs/*"))


def floor(app: Deployment) -> Path:
    [found] = app.root.glob(".habanero/state/**/floor.json")
    return found


def make_whole(app: Deployment) -> Path:
    """The copy as it is once the process has served for a moment: with units and sources."""
    [path] = packs(app)
    read, manifest = pack.read(path), app.manifest()
    blobs = {sha256: app.blob_file(sha256).read_bytes() for sha256 in manifest.blobs()}
    pack.write(path, read.envelope, read.manifest, manifest, blobs, whole=True)
    return path


def take_away(app: Deployment) -> None:
    app.bucket_folder.rename(app.bucket_folder.with_name("away"))


@pytest.mark.parametrize("how", ["gone", "a file", "format", "blobs gone"])
def test_without_a_bucket_the_machines_own_copy_runs_and_it_is_said(app, how):
    """The newest release that ran here starts, with what is wrong; where only the head will do, nothing does."""
    if how == "blobs gone":
        shutil.rmtree(app.bucket_folder / "v1" / "blobs")
        assert app.start("-c", PRICE).stdout == "3\n"
        return
    if how == "format":
        (app.folder / "format.json").write_text('{"version": 2}')
    else:
        take_away(app)
    if how == "a file":
        app.bucket_folder.write_text("not a folder")
    done = app.start("-c", PRICE)
    assert done.stdout == "3\n"
    assert "error[store" in done.stderr and "release 2 runs" in done.stderr
    assert app.start("-c", PRICE, status=2, HABANERO_BOOT="require").stdout == ""


BLOCKED = """
    import os, time
    keys = os.environ.pop("HABANERO_TRUSTED_KEYS")
    from habanero_receiver.journal.directory import DirectoryBucket
    os.environ["HABANERO_TRUSTED_KEYS"] = keys
    get = DirectoryBucket.get
    def blocked(self, key, *, max_bytes):
        os.read(os.open("fifo", os.O_RDWR), 1)  # for ever: nobody writes
    DirectoryBucket.get = blocked
    from habanero_receiver import boot
    began = time.monotonic()
    boot.boot_from_env()
    print(time.monotonic() - began < 30)
    import shop.pricing
    print(shop.pricing.PRICE)
"""


def test_a_bucket_that_blocks_holds_a_start_up_for_a_bounded_time(app):
    """A read that never ends is given up, and the own copy runs; without one, the deployed code."""
    os.mkfifo(app.root / "fifo")
    for price in ("3", "1"):
        done = app.start("-c", textwrap.dedent(BLOCKED), launcher=False, HABANERO_BOOT_WAIT="0.3")
        assert done.stdout == f"True\n{price}\n"
        assert "error[store-slow]" in done.stderr
        shutil.rmtree(app.root / ".habanero", ignore_errors=True)


def test_a_journal_that_was_turned_back_is_noticed(app):
    """Who can write to the bucket and takes the newest release out does not bring the older one back."""
    app.entry_file(2).unlink()
    done = app.start("-c", PRICE)
    assert done.stdout == "3\n"
    assert "error[journal-turned-back]" in done.stderr and str(floor(app)) in done.stderr
    assert app.start("-c", PRICE, status=2, HABANERO_BOOT="require").stdout == ""
    floor(app).unlink()  # as the help says for a journal that was begun anew on purpose
    assert app.start("-c", PRICE).stdout == "2\n"


def test_a_journal_that_was_put_in_the_place_of_another_is_noticed(app):
    """Releases of the same numbers, signed by a trusted key, but not those that ran here."""
    app.entry_file(2).unlink()
    app.head = type(app.head)(1, Envelope.decode(app.entry_file(1).read_bytes()).digest, None)
    app.push({"shop.pricing": "PRICE = 4\n"})
    app.push({"shop.pricing": "PRICE = 5\n"})
    done = app.start("-c", PRICE)
    assert done.stdout == "3\n"
    assert "error[journal-turned-back]" in done.stderr


def test_a_damaged_copy_runs_never_and_is_made_anew(app):
    """A flipped byte in what a start reads: the bucket's blobs are used; without a bucket, the deployed code."""
    [path] = packs(app)
    good = path.read_bytes()
    assert not pack.is_whole(path)
    for place in range(3, len(good), len(good) // 12):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        done = app.start("-c", PRICE)
        assert done.stdout == "3\n"
        assert done.stderr == "" or done.stderr.startswith("error[copy-corrupt]")
        path.write_bytes(good[:place])
        assert app.start("-c", PRICE).stdout == "3\n"
    path.write_bytes(good[: len(good) // 2])
    take_away(app)
    done = app.start("-c", PRICE)
    assert done.stdout == "1\n" and "error[copy-corrupt]" in done.stderr


def test_a_copy_is_judged_by_the_keys_of_today(app):
    """A key that was revoked takes the local copies of its releases with it, bucket or none."""
    take_away(app)
    settings = {
        "HABANERO_TRUSTED_KEYS": f"{app.key.line}\n{Key().line}", "HABANERO_REVOKED_KEYS": app.key.public.keyid,
    }  # fmt: skip
    assert app.start("-c", PRICE, **settings).stdout == "1\n"


def test_a_damaged_floor_counts_as_none_and_is_said(app):
    """The note that a machine keeps of its highest release."""
    floor(app).write_text("{")
    done = app.start("-c", PRICE)
    assert done.stdout == "3\n" and "error[copy-corrupt]" in done.stderr


def test_tracebacks_show_the_source_of_the_copy(app):
    """The source is read from the copy when somebody wants to see it, and only then."""
    make_whole(app)
    take_away(app)
    code = """
        import inspect, linecache, traceback
        import shop.pricing
        assert shop.pricing.__loader__.image._source is None
        try:
            shop.pricing.fail()
        except ZeroDivisionError:
            print(traceback.format_exc().splitlines()[-2 if "^" not in traceback.format_exc() else -3].strip())
        linecache.checkcache()
        print(inspect.getsource(shop.pricing.fail).splitlines()[-1].strip())
    """
    assert app.start("-c", textwrap.dedent(code)).stdout == "return 1 / 0  # of release 2\n" * 2


def test_another_base_has_copies_of_its_own(app):
    """A new deployment without a bucket starts clean; the old one, deployed again, is back on its release."""
    take_away(app)
    app.write("shop/old.py", "AGE = 100\n")
    assert app.start("-c", PRICE).stdout == "1\n"
    app.write("shop/old.py", "AGE = 99\n")
    assert app.start("-c", PRICE).stdout == "3\n"


def test_processes_that_start_together_make_one_copy(tmp_path):
    """Eight at once, the first on this machine: all run the release, one file is there, nothing is left beside it."""
    app = Deployment(tmp_path, SOURCES)
    app.push({"shop.pricing": "PRICE = 2\n"})
    words = [sys.executable, "-m", "habanero_receiver", "run", "--", sys.executable, "-c", PRICE]
    started = [
        subprocess.Popen(words, cwd=app.root, env=app.environ(), stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    assert [process.communicate(timeout=60)[0] for process in started] == ["2\n"] * 8
    assert len(packs(app)) == 1


def test_a_state_folder_of_another_user_is_refused(app):
    """What is in it could make this machine go back; it is a setting, so no start without it being set right."""
    if os.geteuid() != 0:
        pytest.skip("needs to give a folder to another user")
    os.chown(app.root / ".habanero" / "state", 12345, -1)
    refused = app.start("-c", PRICE, status=2)
    assert refused.stderr.startswith("error[state-owner]") and refused.stdout == ""


@pytest.mark.parametrize("large", [pack._LARGE_BYTES, 1])
def test_a_pack_gives_back_what_was_put_in(app, monkeypatch, large):
    """Envelope, manifest and every blob, whether it is a large pack or a small one."""
    monkeypatch.setattr(pack, "_LARGE_BYTES", large)
    path = make_whole(app)
    read = pack.read(path)
    assert Envelope.decode(read.envelope).digest == app.head.digest
    manifest = app.manifest()
    assert read.manifest == manifest.encode()
    entry = manifest.modules["shop.pricing"]
    assert entry is not None
    assert read.open(manifest)[entry.code] == app.blob_file(entry.code.sha256).read_bytes()
    rest = pack.Rest(path, len(read.envelope), len(read.manifest), manifest)
    for ref in (entry.source, entry.units):
        assert rest.read(ref) == app.blob_file(ref.sha256).read_bytes()


@pytest.mark.parametrize("large", [pack._LARGE_BYTES, 1])
def test_the_code_of_a_copy_is_checked_byte_by_byte(app, monkeypatch, large):
    """Whatever byte of it is another one, or missing: nothing of the copy is given out."""
    monkeypatch.setattr(pack, "_LARGE_BYTES", large)
    path, manifest = make_whole(app), app.manifest()
    read, good = pack.read(path), path.read_bytes()
    first = good.index(bytes(read.codes[:64]))
    for place in range(first, first + len(read.codes), 7):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(StoreError, match="cannot be used") as caught:
            pack.read(path).open(manifest)
        assert caught.value.code == "copy-corrupt"
    path.write_bytes(good[: first + len(read.codes) - 1])
    with pytest.raises(StoreError, match="cut short"):
        pack.read(path)


def test_units_and_sources_of_a_copy_are_checked_whenever_they_are_read(app):
    """A flipped byte anywhere, or an end that is missing, is found out before the bytes are given to anyone."""
    path = make_whole(app)
    read, manifest = pack.read(path), app.manifest()
    rest = pack.Rest(path, len(read.envelope), len(read.manifest), manifest)
    refs = [ref for entry in manifest.modules.values() for ref in (entry.units, entry.source)]
    good = path.read_bytes()
    first = len(good) - sum(ref.size for ref in refs)
    for place in range(first, len(good), 7):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        assert sum(refuses(rest, ref) for ref in refs) == 1
        path.write_bytes(good[:place])
        assert refuses(rest, refs[-1])
    path.unlink()
    assert all(refuses(rest, ref) for ref in refs)


def refuses(rest: pack.Rest, ref: BlobRef) -> bool:
    """Whether a blob of the copy is refused as damaged."""
    try:
        data = rest.read(ref)
    except StoreError as error:
        assert error.code == "copy-corrupt"
        return True
    assert hashlib.sha256(data).hexdigest() == ref.sha256
    return False


READ_LATER = """
    from habanero_receiver import boot
    import shop.pricing
    image = boot.current().overlay.images["shop.pricing"]
    print(len(image.units) > 100, image.source.decode().splitlines()[0])
"""


@pytest.mark.parametrize("how", ["not whole", "flipped", "removed"])
def test_what_the_copy_does_not_give_later_comes_from_the_bucket(app, how):
    """Units and sources that the copy lacks, or has damaged, are those of the release all the same; else an error."""
    path = next(iter(packs(app))) if how == "not whole" else make_whole(app)
    if how == "flipped":
        size = sum(ref.size for entry in app.manifest().modules.values() for ref in (entry.units, entry.source))
        good = path.read_bytes()
        path.write_bytes(good[:-size] + bytes(byte ^ 1 for byte in good[-size:]))
    code = READ_LATER
    if how == "removed":
        code = code.replace("    import shop", "    import pathlib; pathlib.Path('PACK').unlink()\n    import shop")
    code = textwrap.dedent(code).replace("PACK", str(path))
    assert app.start("-c", code).stdout == "True PRICE = 3\n"
    take_away(app)
    assert app.start("-c", code, status=None).stdout == ""


def test_the_copy_of_an_older_version_is_not_used(app):
    """What was written in a form that is not ours any more is made anew from the bucket."""
    [path] = packs(app)
    path.write_bytes(path.read_bytes().replace(b"HABPACK2", b"HABPACK1"))
    done = app.start("-c", PRICE)
    assert done.stdout == "3\n" and "error[copy-corrupt]" in done.stderr and "it is not a pack" in done.stderr
    assert path.read_bytes().startswith(b"HABPACK2")


def test_the_copy_of_a_start_from_the_bucket_is_made_whole(tmp_path):
    """A process that serves fetches units and sources when it has time."""
    shop = Shop(tmp_path / "srv")
    state = shop.root / ".habanero" / "state"
    with serve(shop) as server:
        assert server.push(server.next({"shop.rates": "RATE = 5\n"})).status_code == 200
        server.kill()
    shutil.rmtree(state, ignore_errors=True)
    with serve(shop):
        wait_until(lambda: list(state.glob("**/packs/0*")))
        [path] = state.glob("**/packs/0*")
        wait_until(lambda: pack.is_whole(path))


def _put_back(away, bucket):
    """Puts a bucket back in its place, unless a heartbeat of the server's makes that place anew in between."""
    shutil.rmtree(bucket, ignore_errors=True)
    try:
        away.rename(bucket)
    except OSError:
        return False
    return True


def test_a_server_starts_on_its_copy_and_catches_up_when_the_bucket_is_back(tmp_path):
    """The copy of what was pushed live is made while it runs; a release pushed elsewhere meanwhile is followed to."""
    shop = Shop(tmp_path / "srv")
    state = shop.root / ".habanero" / "state"
    with serve(shop) as server:
        assert server.push(server.next({"shop.rates": "RATE = 5\n"})).status_code == 200
        wait_until(lambda: list(state.glob("**/floor.json")))
        later = server.next({"shop.rates": RATES.replace("2", "6")})
        server.kill()
    away = shop.bucket.with_name("away")
    shop.bucket.rename(away)
    with serve(shop) as server:
        assert server.price()["price"] == 50
        journal = away / "v1" / "shop" / "test" / later.statement.base.removeprefix("sha256:") / "journal"
        for sha256, data in {later.statement.manifest_digest[7:]: later.manifest, **later.blobs}.items():
            blob = away / "v1" / "blobs" / "sha256" / sha256[:2] / sha256
            blob.parent.mkdir(exist_ok=True)
            blob.write_bytes(data)
        (journal / "00000002.json").write_bytes(later.envelope.encode())
        wait_until(lambda: _put_back(away, shop.bucket))
        wait_until(lambda: server.price()["price"] == 60, what=(shop.root / "server.log").read_text)

"""verify against real servers: what is wrong with a journal is named, and a worker that runs something else too."""

from __future__ import annotations

import json
import os
import py_compile
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sites import MAIN, PRICING, Site, make_site

from habanero_py.signing import generate, load_signer
from habanero_receiver.release.envelope import PAYLOAD_TYPE, Envelope

MISCHIEF = '''

@app.get("/mischief")
def mischief():
    """Changes this worker alone, as a debugger or a monkeypatch would."""
    import os
    pricing.price.__code__ = (lambda amount: 666).__code__
    return {"pid": os.getpid()}
'''


def priced(factor: int) -> str:
    return PRICING.replace("amount * 2", f"amount * {factor}")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, private_config: Path) -> Iterator[Site]:
    """Three releases over a server of one process."""
    site = make_site(tmp_path_factory.mktemp("verify"))
    with site.serve():
        for factor in (3, 4, 5):
            site.save(priced(factor))
            site.command("push", "--once")
        shutil.copytree(site.bucket, site.bucket.with_name("good"))
        yield site


@pytest.fixture
def site(served: Site) -> Iterator[Site]:
    """The same for each test: its bucket is as it was, nothing was verified before."""
    yield served
    (served.laptop / ".habanero/verified.json").unlink(missing_ok=True)
    shutil.copytree(served.bucket.with_name("good"), served.bucket, dirs_exist_ok=True)


def entry(site: Site, seq: int) -> Path:
    return site.journal / f"{seq:08d}.json"


def verdict(site: Site, code: int) -> dict:
    [found] = site.command("verify", code=code)
    return found


def problems(found: dict) -> list[tuple[str, str]]:
    return [(problem["subject"], problem["code"]) for problem in found["untrusted"]]


def test_a_journal_without_fault_and_processes_in_step(site) -> None:
    """Exit code 0, and how much was looked at: releases, blobs, live functions."""
    found = verdict(site, 0)
    assert (found["releases"], found["workers"], found["untrusted"], found["deviating"]) == (3, 1, [], [])
    assert found["blobs"] == 9, "source, code and units of each release"
    assert found["compared"] >= 2
    assert found["signers"]
    remembered = json.loads((site.laptop / ".habanero/verified.json").read_text())
    assert [known["seq"] for known in remembered.values()] == [3]


def test_an_entry_with_a_changed_byte_is_named(site) -> None:
    """Its signature does not hold any more; and the next one follows another entry than this."""
    data = json.loads(entry(site, 2).read_bytes())
    data["signatures"][0]["sig"] = "A" * 86 + "=="
    entry(site, 2).write_text(json.dumps(data))
    found = verdict(site, 7)
    assert problems(found) == [("#2", "unauthorized")]
    assert "does not hold" in found["untrusted"][0]["text"]
    entry(site, 2).write_bytes(b"{}")
    assert problems(verdict(site, 7))[0] == ("#2", "schema")
    entry(site, 2).write_bytes(b"x" * 100_000)
    assert problems(verdict(site, 7))[0] == ("#2", "envelope-size")


def test_a_gap_is_named(site) -> None:
    """Entry 2 is gone, 3 is there."""
    entry(site, 2).unlink()
    found = verdict(site, 7)
    assert ("#2", "journal-gap") in problems(found)
    assert "#3 is in the bucket" in found["untrusted"][0]["text"]


def test_what_was_verified_once_must_stay(site) -> None:
    """The newest entries are taken away, and the server started anew believes what is left; this machine does not."""
    verdict(site, 0)
    entry(site, 3).unlink()
    found = verdict(site, 7)
    assert ("#3", "history-rewritten") in problems(found)


def another(site: Site, number: int, **changes: object) -> bytes:
    """The envelope of that release again, by the same trusted key, with another statement."""
    with site.session() as session:
        session.pusher.view()
        statement = session.pusher.releases.number(number).statement._replace(**changes)
        envelope = Envelope(PAYLOAD_TYPE, statement.encode())
        return envelope.sign(session.signer.public.keyid, session.signer.sign).encode()


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"nonce": "00" * 16}, [("#3", "not-next")]),
        ({"prev": "sha256:" + "0" * 64}, [("#2", "not-next"), ("#3", "not-next")]),
        ({"target": "shop/staging#1"}, [("#2", "wrong-target"), ("#3", "not-next")]),
        ({"base": "sha256:" + "0" * 64}, [("#2", "base-mismatch"), ("#3", "not-next")]),
        ({"seq": 7}, [("#2", "not-next"), ("#3", "not-next")]),
    ],
    ids=["fork", "another chain", "another target", "another base", "another number"],
)
def test_a_signed_release_in_the_wrong_place_is_named(site, changes, codes) -> None:
    """By a trusted key, and still not what belongs there; what follows it does not follow it."""
    entry(site, 2).write_bytes(another(site, 2, **changes))
    assert problems(verdict(site, 7)) == codes


def test_a_blob_that_is_missing_or_changed_is_named(site) -> None:
    """With the release that needs it; nothing says that it was pruned."""
    with site.session() as session:
        releases = session.pusher.releases
        session.pusher.view()
        entry_ = releases.overlay(releases.number(2))["shop.pricing"]
    assert entry_ is not None
    blob = site.bucket / "v1/blobs/sha256" / entry_.source.sha256[:2] / entry_.source.sha256
    data = blob.read_bytes()
    blob.write_bytes(data.replace(b"4", b"5"))
    assert problems(verdict(site, 7)) == [("#2", "store-corrupt")]
    blob.unlink()
    found = verdict(site, 7)
    assert problems(found) == [("#2", "blob-missing")]
    assert "not pruned" in found["untrusted"][0]["text"]


def test_a_key_that_this_machine_does_not_know_is_not_believed(site) -> None:
    """The server trusts it; `verify` believes the keys that are listed here, by default one's own alone."""
    public = generate(site.laptop.parent / "bob.key", "bob@desk")
    signer = load_signer(site.laptop.parent / "bob.key")
    found = site.command("verify", "--key", str(site.laptop.parent / "bob.key"), code=7)
    assert found[-1]["code"] == "unauthorized", "a key that the server does not trust reads nothing"
    file = site.laptop / "allowed_signers"
    file.write_text(f"bob {signer.public.openssh()}\n")
    with (site.laptop / "pyproject.toml").open("a") as settings:
        settings.write('trusted_keys_file = "allowed_signers"\n')
    found = verdict(site, 7)
    assert problems(found) == [("#1", "unauthorized"), ("#2", "unauthorized"), ("#3", "unauthorized")]
    assert "not among the keys" in found["untrusted"][0]["text"]
    with site.session() as session:
        file.write_text(f"bob {public.openssh()}\nana {session.signer.public.openssh()}\n")
    assert verdict(site, 0)["signers"] == ["ana"]


def test_a_worker_that_runs_something_else_is_named(tmp_path: Path, private_config: Path) -> None:
    """Of two workers one is changed behind our back: its heartbeat says that it is in step, its functions do not."""
    site = make_site(tmp_path)
    for root in (site.laptop, site.deployed):
        (root / "shop/main.py").write_text(MAIN + MISCHIEF)
    with site.serve(workers=2):
        site.save(priced(3))
        site.command("push", "--once")
        assert verdict(site, 0)["workers"] == 2
        pid = httpx.get(f"http://127.0.0.1:{site.port}/mischief", timeout=10).json()["pid"]
        site.command("status")
        found = verdict(site, 6)
        assert found["untrusted"] == []
        [problem] = found["deviating"]
        assert problem["subject"].endswith(f"pid {pid}")
        assert "shop.pricing is no known version" in problem["text"]
        assert "price" in problem["text"]


LOADER = """

@app.get("/load")
def load(name: str):
    import importlib
    importlib.import_module(name)
    return {}
"""


def test_files_changed_on_the_server_and_modules_from_nowhere_are_named(tmp_path: Path, private_config: Path) -> None:
    """A file edited under a process that has not imported it yet, and one that nobody deployed; not a deleted one."""
    site = make_site(tmp_path)
    for root in (site.laptop, site.deployed):
        (root / "shop/main.py").write_text(MAIN + LOADER)
        for name in ("lazy", "gone"):
            (root / f"shop/{name}.py").write_text("def f():\n    return 1\n")
    with site.serve():
        (site.laptop / "shop/gone.py").unlink()
        site.command("push", "--once")
        assert verdict(site, 0)["deviating"] == []
        (site.deployed / "shop/lazy.py").write_text("def f():\n    return 2\n")
        (site.deployed / "shop/dropped.py").write_text("x = 1\n")
        httpx.get(f"http://127.0.0.1:{site.port}/load?name=shop.dropped", timeout=10).raise_for_status()
        [problem] = verdict(site, 6)["deviating"]
        assert "shop.dropped is no known version (neither the base nor the release has this module)" in problem["text"]
        assert "shop.lazy is no known version" in problem["text"]
        assert "shop/lazy.py was changed" in problem["text"]
        assert "shop.gone" not in problem["text"]
        httpx.get(f"http://127.0.0.1:{site.port}/load?name=shop.lazy", timeout=10).raise_for_status()
        [problem] = verdict(site, 6)["deviating"]
        assert "shop.lazy is no known version (f: its code is not of this version" in problem["text"]


RATES = "FACTORS = [{}]\n"


def test_bytecode_that_is_not_of_its_source_is_named(tmp_path: Path, private_config: Path) -> None:
    """A source was replaced and kept its size and second: Python runs the old .pyc, and verify says so.

    Nothing that is live gives it away, since the module has no function and no plain constant.
    """
    site = make_site(tmp_path)
    for root in (site.laptop, site.deployed):
        (root / "shop/main.py").write_text(
            MAIN.replace("pricing.CALLS", "rates.FACTORS").replace("import pricing", "import pricing, rates")
        )
        (root / "shop/rates.py").write_text(RATES.format(2))
    source = site.deployed / "shop/rates.py"
    before = source.stat()
    cached = py_compile.compile(str(source), invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    for root in (site.laptop, site.deployed):
        (root / "shop/rates.py").write_text(RATES.format(3))
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    with site.serve():
        assert site.price()["calls"] == [2], "the old code runs"
        site.save(priced(3))
        site.command("push", "--once")
        [problem] = verdict(site, 6)["deviating"]
        assert "shop.rates is no known version (it runs other code than its source" in problem["text"]
        assert cached in problem["text"]
        assert "shop.pricing" not in problem["text"] and "shop.main" not in problem["text"]
    Path(cached).unlink()
    with site.serve():
        assert site.price()["calls"] == [3]
        assert verdict(site, 0)["deviating"] == []

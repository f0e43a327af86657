"""Servers without an endpoint: the laptop writes to their bucket, and they follow it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from serving import wait_until
from sites import PRICING, Site, make_site

from habanero_py.signing import generate, load_signer
from habanero_receiver.errors import HabaneroError
from habanero_receiver.journal.base import Base
from habanero_receiver.journal.deployed import Deployed
from habanero_receiver.release.envelope import PAYLOAD_TYPE, Envelope
from habanero_receiver.release.statement import PythonTag


def aim_at_the_bucket(site: Site) -> None:
    """What somebody changes on both sides: no endpoint there, the bucket's address here."""
    site.server = {**site.server, "HABANERO_HTTP": "off"}
    project = site.laptop / "pyproject.toml"
    project.write_text(re.sub(r'url = "[^"]*"', f'url = "file://{site.bucket}"', project.read_text()))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, private_config: Path) -> Iterator[Site]:
    """A server that mounts nothing, and a laptop whose target is its bucket."""
    site = make_site(tmp_path_factory.mktemp("site"))
    aim_at_the_bucket(site)
    with site.serve():
        yield site


def test_a_save_goes_live_without_an_endpoint(tmp_path: Path, private_config: Path) -> None:
    """Saved, tested, signed, recorded, live in the same process, confirmed by its heartbeat; shown; rolled back."""
    site = make_site(tmp_path)
    aim_at_the_bucket(site)
    with site.serve():
        _goes_live(site)


def _goes_live(site: Site) -> None:
    path = f"http://127.0.0.1:{site.port}/_habanero/v1/state"
    assert httpx.get(path, timeout=10).json() == {"detail": "Not Found"}, "the app's own 404"
    site.save(PRICING.replace("amount * 2", "amount * 3"))
    events = {event["event"]: event for event in site.command("push", "--once")}
    assert (events["live"]["push"], events["live"]["workers"]) == (1, 1)
    assert site.price()["price"] == 30
    assert site.command("push", "--once")[-1]["event"] == "unchanged"
    [status] = site.command("status")
    assert (status["head"], status["in_step"]) == (1, True)
    assert [event["push"] for event in site.command("log")] == [1]
    site.command("rollback", "0", "--yes")
    assert site.price()["price"] == 20


def test_what_takes_an_endpoint_says_so(site: Site) -> None:
    """A dry run, a prune and a look at live modules are refused with what to do, and change nothing."""
    before = site.price()["price"]
    site.save(PRICING.replace("amount * 2", "amount * 5"))
    for words in (("push", "--dry-run"), ("prune", "--days", "1", "--yes"), ("verify",)):
        said = site.command(*words, code=2)[-1]
        assert said["code"] == "needs-endpoint" and "HABANERO_HTTP" in said["help"]
    assert site.price()["price"] == before


def test_what_living_code_cannot_take_is_found_out_afterwards(site: Site) -> None:
    """The release is recorded and no machine runs it: exit code 6, with the machine's reason; the next one is taken."""
    before = site.price()["price"]
    site.save(PRICING + "\nraise ValueError('at import')\n")
    with site.session() as session:
        head = session.server.state().head.seq
    # The gate imports the module too: pushed without one, as somebody in a hurry would.
    project = site.laptop / "pyproject.toml"
    text = project.read_text()
    project.write_text(re.sub(r"gate = .*", "gate = []", text))
    try:
        events = site.command("push", "--once", code=6)
        assert "ValueError" in str(events)
        assert site.price()["price"] == before
        with site.session() as session:
            assert session.server.state().head.seq == head + 1
        site.save(PRICING.replace("amount * 2", "amount * 6"))
        site.command("push", "--once")
        assert site.price()["price"] == 60
    finally:
        project.write_text(text)


def test_an_entry_of_a_stranger_is_no_head_here_either(site: Site, tmp_path: Path) -> None:
    """The laptop believes the bucket as little as the servers do: nothing is pushed on top of what it cannot verify."""
    generate(tmp_path / "mallory.key", "mallory")
    site.save(PRICING.replace("amount * 2", "amount * 8"))
    site.command("push", "--once")
    with site.session() as session:
        state = session.server.state()
        last = session.server.journal(state.head.seq - 1)[-1]
    forged = Envelope(PAYLOAD_TYPE, Envelope.decode(last.envelope).payload.replace(b'"seq":', b'"seq": ', 1))
    signer = load_signer(tmp_path / "mallory.key", None)
    entry = site.journal / f"{state.head.seq + 1:08d}.json"
    entry.write_bytes(forged.sign(signer.public.keyid, signer.sign).encode())
    try:
        site.save(PRICING.replace("amount * 2", "amount * 7"))
        said = site.command("push", "--once", code=7)[-1]
        assert "trusted_keys_file" in said["help"]
        assert site.price()["price"] == 80
    finally:
        entry.unlink()


def test_a_restart_comes_back_on_what_was_pushed(tmp_path: Path, private_config: Path) -> None:
    """Recorded through the bucket is as durable as recorded by a server."""
    site = make_site(tmp_path)
    aim_at_the_bucket(site)
    with site.serve():
        site.save(PRICING.replace("amount * 2", "amount * 9"))
        site.command("push", "--once")
    with site.serve():
        wait_until(lambda: site.price()["price"] == 90)


def test_without_a_server_there_is_nothing_to_push_to(tmp_path: Path, private_config: Path) -> None:
    """An empty bucket, or one that only others use, is told apart from a server that runs."""
    site = make_site(tmp_path)
    aim_at_the_bucket(site)
    (site.deployed.parent / "bucket").mkdir()
    project = site.laptop / "pyproject.toml"
    project.write_text(re.sub(r'url = "[^"]*"', f'url = "file://{tmp_path}/bucket"', project.read_text()))
    said = site.command("push", "--once", code=8)[-1]
    assert said["code"] == "no-receiver"


def test_a_description_is_believed_only_under_its_own_fingerprint(tmp_path: Path) -> None:
    """Modules that do not make the fingerprint, another shape, or no JSON: an error, never a base to compare with."""
    (tmp_path / "shop.py").write_text("X = 1\n")
    base = Base.scan(tmp_path, ["shop"])
    said = Deployed("shop/test#1", PythonTag.current(), ("shop",), 2, 3_600, base.modules)
    back = Deployed.decode(said.encode(), base.digest)
    assert (back.target, back.python, back.allowed, back.threshold) == (said.target, said.python, said.allowed, 2)
    assert back.modules["shop"].sha256 == base.modules["shop"].sha256
    lie = said.encode().replace(base.modules["shop"].sha256.encode(), b"0" * 64)
    for data in (lie, b"", b"{}", b"[" * 100, said.encode().replace(b'"modules":{', b'"modules":{"a":1,'), b"<html>"):
        with pytest.raises(HabaneroError) as caught:
            Deployed.decode(data, base.digest)
        assert caught.value.code == "store-corrupt"


def test_errors_and_a_withdrawal_are_heard_through_the_bucket(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an endpoint to ask: the traceback, the verdict, and that the workers run what they are to run."""
    monkeypatch.setenv("HABANERO_WITHDRAW", "2/300")
    site.save(PRICING)
    site.command("push", "--once")
    before = site.price()["price"]
    site.save(PRICING.replace("amount * 2", "amount * 2 + None"))
    site.command("push", "--once", "--gate", "true")
    for _ in range(2):
        assert httpx.get(f"http://127.0.0.1:{site.port}/price", timeout=10).status_code == 500
    with site.session() as session:
        wait_until(lambda: (state := session.server.state()).withdrawn is not None and state.in_step)
        wait_until(lambda: bool(session.server.errors().errors))
        heard = session.server.errors()
    [error] = heard.errors.values()
    assert (error.kind, error.where) == ("TypeError", "GET /price") and "+ None" in error.traceback
    assert heard.withdrawn is not None and heard.withdrawn.push == error.push
    assert site.price()["price"] == before
    assert "2 errors" in site.command("log")[0]["withdrawn"]["reason"]
    site.save(PRICING.replace("amount * 2", "amount * 4"))
    site.command("push", "--once")
    assert site.price()["price"] == 40 and site.command("status")[0]["in_step"]


def test_two_people_sign_what_goes_through_the_bucket(tmp_path: Path, private_config: Path) -> None:
    """The first writes a file, the second signs by the laptop's list of keys, and the servers judge for themselves."""
    site = make_site(tmp_path)
    ana, ben = load_signer(tmp_path / "ana.key").public, generate(tmp_path / "ben.key", "ben@desk")
    lines = f"ana@laptop {ana.openssh()}\nben@desk {ben.openssh()}\n"
    (site.laptop / "allowed_signers").write_text(lines)
    site.server = {**site.server, "HABANERO_TRUSTED_KEYS": lines, "HABANERO_THRESHOLD": "2"}
    aim_at_the_bucket(site)
    project = site.laptop / "pyproject.toml"
    project.write_text(project.read_text() + 'trusted_keys_file = "allowed_signers"\n')
    with site.serve():
        site.save(PRICING.replace("amount * 2", "amount * 3"))
        waiting = site.command("push", "--once", code=10)[-1]
        assert site.price()["price"] == 20
        sign = ("sign", waiting["file"], "--yes", "--key", str(tmp_path / "ben.key"))
        assert site.command(*sign, code=2)[-1]["code"] == "needs-endpoint", "nobody here has what was deployed"
        site.save(PRICING)  # the second person's tree
        said = site.command(*sign)
        assert said[-1]["event"] == "live"
        assert site.price()["price"] == 30
        assert [check["name"] for check in site.command("doctor") if not check["ok"]] == []

"""The command against a real server: init, push, status, log, rollback, and pushes that must not get through."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sites import PRICING, Site, make_site

from habanero_py.compose import Facts, compose, desired
from habanero_py.signing import generate, load_signer
from habanero_receiver.errors import HabaneroError


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, private_config: Path) -> Iterator[Site]:
    """Init on the laptop; the same sources deployed; a server that runs with what init printed."""
    site = make_site(tmp_path_factory.mktemp("site"))
    with site.serve():
        yield site


def test_the_main_job(site: Site) -> None:
    """Saved, tested, signed, live in the same process with its state; shown; rolled back; undone to the base."""
    assert all(check["ok"] for check in site.command("doctor"))
    shell = [sys.executable, "-m", "habanero_py", "status"]
    assert "1/1 workers in step" in subprocess.run(shell, cwd=site.laptop, capture_output=True, text=True).stdout
    calls = len(site.price()["calls"])
    site.save(PRICING.replace("amount * 2", "amount * 3"))
    tried = site.command("push", "--dry-run")[-1]
    assert (tried["event"], tried["modules"][0]["patched"]) == ("dry-run", ["price"])
    assert site.price()["price"] == 20, "a dry run changes nothing"

    events = {event["event"]: event for event in site.command("push", "--once")}
    assert (events["gate"]["summary"], events["live"]["push"]) == ("1 passed", 1)
    [told] = events["live"]["report"]
    assert (told["module"], told["patched"], told["refused"]) == ("shop.pricing", ["price"], [])
    now = site.price()
    assert now["price"] == 30
    assert len(now["calls"]) == calls + 2, "the list lives on in the same process"
    assert site.command("push", "--once")[-1]["event"] == "unchanged"

    [status] = site.command("status")
    assert (status["head"], status["in_step"], len(status["machines"][0]["workers"])) == (1, True, 1)
    site.save(PRICING.replace("amount * 2", "amount * 4"))
    site.command("push", "--once")
    assert site.price()["price"] == 40
    site.command("rollback", code=2)
    assert site.price()["price"] == 40, "without a terminal and --yes nothing is rolled back"
    assert site.command("rollback", "--yes")[-1]["same_code_as"] == 1
    assert site.price()["price"] == 30
    site.command("rollback", "0", "--yes")
    assert site.price()["price"] == 20
    log = [(event["push"], event["kind"], event.get("restores")) for event in site.command("log")]
    assert log == [(4, "rollback", 0), (3, "rollback", 1), (2, "push", None), (1, "push", None)]


def test_what_must_not_get_through(site: Site) -> None:
    """Syntax, gate, and swap: exit codes 4, 3 and 5, and the server runs what it ran."""
    before = site.price()["price"]
    site.save("def price(:\n")
    assert site.command("push", "--once", code=4)[-1]["event"] == "syntax"
    site.save(PRICING.replace("amount * 2", "amount * 1000"))
    assert site.command("push", "--once", code=3)[-1]["ok"] is False
    site.save(PRICING + "\nraise RuntimeError('at import')\n")
    said = site.command("push", "--once", "--gate", "true", code=5)[-1]
    assert (said["event"], said["code"], said["by_server"]) == ("refused", "rolled-back", True)
    assert "RuntimeError: at import" in said["traceback"]
    assert "habanero_receiver" not in said["traceback"], "the author's frames, none of the server's"
    [refused] = said["refusals"]
    assert (refused["module"], refused["line"]) == ("shop.pricing", PRICING.count("\n") + 2)
    assert site.price()["price"] == before
    site.save(PRICING)


def forged(site: Site, **changes: Any) -> bytes:
    """A push of a bad price with something wrong in its statement."""
    site.save(PRICING.replace("amount * 2", "amount * 666"))
    with site.session() as session:
        view, tools = session.pusher.view(), session.tools
        view = replace(
            view, **{name: value for name, value in changes.items() if name in ("target", "base_digest", "head")}
        )
        wanted = desired(tools.sources.scan().modules, {"shop"}, view)
        code = tools.build([module for module in wanted.values() if module], view.python)
        facts = Facts("mallory", changes.get("issued", datetime.now(UTC)), "00" * 16)
        content = compose(wanted, code, view, facts, changes.get("signer", tools.signer)).content
    site.save(PRICING)
    return content


def refused_by_server(site: Site, content: bytes) -> str:
    with site.session() as session, pytest.raises(HabaneroError) as error:
        session.server.push(content)
    return error.value.code


def test_forgeries_are_refused_and_change_nothing(site: Site) -> None:
    """A stranger's key, another target, another base, an old statement, a wrong place in the journal."""
    before = site.price()["price"]
    with site.session() as session:
        head = session.pusher.view().head
    generate(site.laptop.parent / "mallory.key", "ana@laptop")
    stranger = load_signer(site.laptop.parent / "mallory.key")
    assert refused_by_server(site, forged(site, signer=stranger)) == "unauthorized"
    assert refused_by_server(site, forged(site, target="shop/production#0000")) == "wrong-target"
    assert refused_by_server(site, forged(site, base_digest="sha256:" + "0" * 64)) == "base-mismatch"
    assert refused_by_server(site, forged(site, issued=datetime.now(UTC) - timedelta(hours=1))) == "expired"
    assert refused_by_server(site, forged(site, head=replace(head, seq=head.seq + 7))) == "not-next"
    altered = bytearray(forged(site))
    altered[-1] ^= 1
    assert refused_by_server(site, bytes(altered)) == "blob-digest"
    assert site.price()["price"] == before
    with site.session() as session:
        assert session.pusher.view().head == head


def test_a_stranger_cannot_even_look(site: Site) -> None:
    """Reads are signed: exit code 7, and the same for a target that is not the server's."""
    generate(site.laptop.parent / "eve.key", "eve")
    [said] = site.command("status", "--key", str(site.laptop.parent / "eve.key"), code=7)
    assert said["code"] == "unauthorized"
    site.command("status", "--target", "shop/staging#1", code=7)


def test_a_repeated_push_of_the_head_is_done_already(site: Site) -> None:
    """The same bytes twice: one entry."""
    site.save(PRICING.replace("amount * 2", "amount * 5"))
    with site.session() as session:
        sent: list[bytes] = []
        push = session.server.push
        session.server.push = lambda content, **words: (sent.append(content), push(content, **words))[1]  # type: ignore[method-assign]
        assert session.pusher.push() == 0
        head = session.server.state().head
        assert push(sent[0]).already_applied
        assert session.server.state().head == head
    assert site.price()["price"] == 50

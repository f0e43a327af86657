"""prune over a real server: who may, what goes, and what is said of it afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from sites import PRICING, Site, make_site

from habanero_py.signing import generate
from habanero_receiver.errors import HabaneroError


def priced(factor: int) -> str:
    return PRICING.replace("amount * 2", f"amount * {factor}")


@pytest.fixture(scope="module")
def served() -> Iterator[ExitStack]:
    """What is to be closed for the server to end."""
    with ExitStack() as served:
        yield served


@pytest.fixture(scope="module")
def site(served: ExitStack, tmp_path_factory: pytest.TempPathFactory, private_config: Path) -> Site:
    """Four releases; beside ana's key, which may do everything, the server trusts one that may push alone."""
    folder = tmp_path_factory.mktemp("prune")
    site = make_site(folder)
    pusher = generate(folder / "ben.key", "ben@desk")
    keys = f'{site.server["HABANERO_TRUSTED_KEYS"]}\nben namespaces="habanero" {pusher.openssh()}\n'
    site.server = {**site.server, "HABANERO_TRUSTED_KEYS": keys}
    served.enter_context(site.serve())
    for factor in (3, 4, 5, 6):
        site.save(priced(factor))
        site.command("push", "--once")
    return site


def blobs(site: Site) -> int:
    return sum(file.is_file() for file in (site.bucket / "v1/blobs").rglob("*"))


def test_nothing_goes_that_is_young_or_not_confirmed(site: Site) -> None:
    """By default only what is older than a month; a dry run only shows; a script has to say --yes."""
    before = blobs(site)
    [said] = site.command("prune")
    assert (said["done"], said["releases"], said["blobs"]) == (False, [], 0)
    rules = ("prune", "--days", "0", "--keep", "2")
    [said] = site.command(*rules, "--dry-run")
    assert (said["done"], said["releases"], said["blobs"]) == (False, [1, 2], 8)
    assert site.command(*rules, code=2)[-1]["code"] == "confirm"
    assert blobs(site) == before


def test_a_key_without_the_role_may_look_and_not_remove(site: Site) -> None:
    """Exit code 7, and nothing went; the same key reads and pushes."""
    before = blobs(site)
    key = ("--key", str(site.laptop.parent / "ben.key"))
    site.command("status", *key)
    said = site.command("prune", "--days", "0", "--keep", "2", "--yes", *key, code=7)
    assert [event["event"] for event in said] == ["prune", "refused"]
    assert said[-1]["code"] == "unauthorized"
    assert blobs(site) == before


def test_the_server_removes_no_more_than_its_own_rules_allow(site: Site) -> None:
    """A signed request for the head's code, or for another base, is refused."""
    with site.session() as session:
        found = session.server.prunable(0, 2)
        for changes, code in (({"below": 4}, "prune-refused"), ({"base": "sha256:" + "0" * 64}, "base-mismatch")):
            with pytest.raises(HabaneroError) as error:
                session.server.prune(replace(found, **changes), 0, 2)
            assert error.value.code == code
    assert site.price()["price"] == 60


def test_what_was_pruned_is_gone_and_said_to_be(site: Site) -> None:
    """log, show, diff and rollback tell; verify knows that it was pruned by whom; what is left works as before."""
    assert site.command("verify")[-1]["untrusted"] == []
    said = site.command("prune", "--days", "0", "--keep", "2", "--yes")
    assert [(event["done"], event["releases"], event["blobs"]) for event in said] == [
        (False, [1, 2], 8),
        (True, [1, 2], 8),
    ]
    assert blobs(site) == 8
    for words in (("show", "1"), ("diff", "0", "2"), ("rollback", "2", "--yes")):
        assert site.command(*words, code=4)[-1]["code"] == "pruned"
    log = site.command("log")
    assert [event.get("modules") for event in log] == [["shop.pricing"], None, None, None]
    verdict = site.command("verify")[-1]
    assert (verdict["untrusted"], verdict["pruned"], verdict["releases"]) == ([], 2, 4)
    assert site.command("prune", "--days", "0", "--keep", "2", "--yes")[-1]["blobs"] == 0
    site.command("rollback", "3", "--yes")
    assert site.price()["price"] == 50


def test_a_restart_after_a_prune_comes_back_with_the_newest_release(site: Site, served: ExitStack) -> None:
    """The chain is whole, and the head's code is there: here code that was pruned and then pushed again."""
    site.save(priced(3))
    site.command("push", "--once")
    served.close()
    served.enter_context(site.serve())
    assert site.price()["price"] == 30
    assert site.command("verify")[-1]["untrusted"] == []

"""Two people, roles and a freeze on a real server, one of them with a key in an agent; and what a restart does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents import fake_agent
from serving import wait_until
from sites import PRICING, Site, make_site

from habanero_py.signing import generate, load_signer
from habanero_receiver.release.publickey import PublicKey


@pytest.fixture
def short() -> Iterator[Path]:
    """A path that is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="habanero-") as made:
        yield Path(made)


def prepared(folder: Path, ben: PublicKey) -> Site:
    """A site whose server wants two people, from lists in files."""
    site = make_site(folder)
    ana = load_signer(folder / "ana.key").public
    etc = folder / "etc"
    etc.mkdir()
    (etc / "trusted").write_text(f"ana@laptop {ana.openssh()}\nben@desk {ben.openssh()}\n")
    place = site.server["HABANERO_TARGET"].partition("#")[0]
    (etc / "roles").write_text(
        f"ana@laptop push,rollback,freeze,clear {place}\nben@desk push,rollback,freeze,clear,prune {place}\n"
    )
    for file in etc.iterdir():
        file.chmod(0o600)
    site.server = {name: value for name, value in site.server.items() if name != "HABANERO_TRUSTED_KEYS"} | {
        "HABANERO_TRUSTED_KEYS_FILE": str(etc / "trusted"),
        "HABANERO_ROLES_FILE": str(etc / "roles"),
        "HABANERO_THRESHOLD": "2",
    }
    return site


def test_two_people_push_freeze_and_restart(
    tmp_path: Path, short: Path, private_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One signature changes nothing, two make it live; a freeze by two holds across a restart until two end it."""
    with fake_agent(short) as agent:
        ben = agent.add()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(agent.path))
        site = prepared(tmp_path, ben)

        def both(*words: str, code: int = 10) -> None:
            file = site.command(*words, "--yes", code=code)[-1]["file"]
            assert site.command("sign", file, "--yes", "--key", ben.keyid)[-1]["event"] == "live"

        with site.serve():
            site.save(PRICING.replace("* 2", "* 3"))
            waiting = site.command("push", "--once", code=10)[-1]
            assert (waiting["event"], waiting["have"], waiting["need"]) == ("pending", 1, 2)
            assert site.price()["price"] == 20
            site.command("sign", waiting["file"], "--key", ben.keyid, code=2)
            assert site.command("sign", waiting["file"], "--yes", code=4)[-1]["code"] == "already-signed"
            said = {each["event"]: each for each in site.command("sign", waiting["file"], "--yes", "--key", ben.keyid)}
            assert said["pending-shown"]["signed_by"] == ["ana@laptop"]
            assert site.price()["price"] == 30
            [listed] = site.command("keys")
            assert [(key["principals"], key["revoked"]) for key in listed["keys"]] == [
                (["ana@laptop"], False), (["ben@desk"], False),
            ]  # fmt: skip
            both("freeze", "holidays")
        with site.serve():
            assert site.price()["price"] == 30, "a start applies the frozen head's code"
            [status] = site.command("status")
            assert (status["frozen"], status["reason"], status["head"]) == (True, "holidays", 2)
            site.save(PRICING.replace("* 2", "* 4"))
            file = site.command("push", "--once", code=10)[-1]["file"]
            refused = site.command("sign", file, "--yes", "--key", ben.keyid, code=4)[-1]
            assert (refused["code"], refused["by_server"]) == ("frozen", True)
            both("unfreeze")
            both("push", "--once")
            assert site.price()["price"] == 40
            both("rollback", "1")
            assert site.price()["price"] == 30


def test_a_lost_laptop_is_answered_without_a_restart(tmp_path: Path, private_config: Path) -> None:
    """Revoked in the file, the lost key can do nothing; another one signs the head again, and it goes on running."""
    ben = generate(tmp_path / "ben.key", "ben@desk")
    site = prepared(tmp_path, ben)
    revoked = tmp_path / "etc" / "revoked"
    revoked.write_text("")
    revoked.chmod(0o600)
    site.server = {**site.server, "HABANERO_THRESHOLD": "1", "HABANERO_REVOKED_KEYS_FILE": str(revoked)}
    with site.serve():
        site.save(PRICING.replace("* 2", "* 3"))
        site.command("push", "--once")
        revoked.write_text(f"{load_signer(tmp_path / 'ana.key').public.keyid} # left on a train\n")
        assert site.command("status", code=7)[-1]["code"] == "unauthorized"
        key = ("--key", str(tmp_path / "ben.key"))
        _until_doubted(site, key)
        site.save(PRICING.replace("* 2", "* 4"))
        assert site.command("push", "--once", *key, code=7)[-1]["code"] == "head-untrusted"
        assert site.command("sign", "--head", "--yes", *key)[-1]["event"] == "live"
        assert site.price()["price"] == 30
        [status] = site.command("status", *key)
        assert (status["trusted"], status["head"]) == (True, 2)


def _until_doubted(site: Site, key: tuple[str, str]) -> None:
    """The follower looks every moment; until it did, nobody has told the server's state."""
    wait_until(lambda: site.command("status", *key)[-1]["trusted"] is False)

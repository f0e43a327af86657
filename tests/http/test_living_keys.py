"""A server whose lists of keys change while it runs: rotation, revocation, and a list that was broken by its editor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from authoring import Author
from serving import Server, Shop, serve, wait_until

OLD, NEW = Author("ana@laptop"), Author("ana@laptop")


def put(path: Path, text: str) -> None:
    """Replaced whole, as a careful tool does it."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


@pytest.fixture
def lists(tmp_path: Path) -> dict[str, Path]:
    folder = tmp_path / "etc"
    folder.mkdir()
    found = {name: folder / name for name in ("trusted", "revoked", "roles")}
    put(found["trusted"], OLD.line)
    put(found["revoked"], "")
    put(found["roles"], "ana@laptop push,clear shop/test\n")
    return found


def environ(lists: dict[str, Path]) -> dict[str, str]:
    return {
        "HABANERO_TRUSTED_KEYS": "",
        "HABANERO_TRUSTED_KEYS_FILE": str(lists["trusted"]),
        "HABANERO_REVOKED_KEYS_FILE": str(lists["revoked"]),
        "HABANERO_ROLES_FILE": str(lists["roles"]),
    }


def rate(server: Server, author: Author, number: int) -> tuple[int, dict[str, Any]]:
    """Push a rate, signed by this key; the answer."""
    state = server.state()
    head = state["head"]
    push = author.push(
        state["base"], {"shop.rates": f"RATE = {number}\n"}, seq=head["seq"] + 1, prev=head["digest"]
    )
    answer = server.push(push)
    return answer.status_code, answer.json()


def doubted(server: Server) -> bool:
    return server.state()["head"]["trusted"] is False


def test_a_key_is_exchanged_without_a_gap_and_then_revoked(tmp_path: Path, lists: dict[str, Path]) -> None:
    """New beside old, then the old one out, on two workers that are never restarted; at each moment somebody can push.

    Revoked, the old key can neither push nor read from the next request on. What it signed goes on running, in doubt
    until the new key signs the head again, and a restart then comes up with it.
    """
    shop = Shop(tmp_path / "srv", author=OLD)
    with serve(shop, workers=2, **environ(lists)) as server:
        assert rate(server, OLD, 3)[0] == 200
        put(lists["trusted"], f"{OLD.line}\n{NEW.line}\n")
        assert rate(server, NEW, 4)[0] == 200
        status, said = rate(server, OLD, 5)
        assert (status, said["in_step"]) == (200, True)
        put(lists["revoked"], OLD.public.keyid)
        refused = server.client.get("/_habanero/v1/state", headers=OLD.read("/v1/state"))
        assert refused.status_code == 401
        server.author = NEW
        status, said = rate(server, OLD, 666)
        assert (status, said["code"]) == (401, "unauthorized")
        assert server.price()["price"] == 50
        wait_until(lambda: doubted(server), what=lambda: (shop.root / "server.log").read_text())
        assert server.price()["price"] == 50, "in doubt, and running"
        state = server.state()
        again = NEW.push(
            state["base"], {"shop.rates": "RATE = 5\n"}, seq=4, prev=state["head"]["digest"], kind="clear", restores=3
        )
        assert server.push(again).status_code == 200
        wait_until(lambda: not doubted(server))
    shop.author = NEW
    with serve(shop, **environ(lists)) as server:
        assert server.price()["price"] == 50


def test_a_list_that_cannot_be_read_is_told_to_who_is_known_and_to_nobody_else(
    tmp_path: Path, lists: dict[str, Path]
) -> None:
    """Pushes and reads get 503 with the reason, a stranger 401 as ever; mended, all is as before, without a restart."""
    shop = Shop(tmp_path / "srv", author=OLD)
    with serve(shop, **environ(lists)) as server:
        assert rate(server, OLD, 3)[0] == 200
        pushes = server.next({"shop.rates": "RATE = 4\n"})
        stranger = Author("eve")
        put(lists["trusted"], "ana@laptop ssh-ed25519 AAAA")
        answer = server.push(pushes)
        assert (answer.status_code, answer.json()["code"]) == (503, "keys-unreadable")
        assert "line 1" in answer.json()["detail"]
        read = server.client.get("/_habanero/v1/state", headers=OLD.read("/v1/state"))
        assert (read.status_code, read.json()["code"]) == (503, "keys-unreadable")
        read = server.client.get("/_habanero/v1/state", headers=stranger.read("/v1/state"))
        assert (read.status_code, read.json()["code"]) == (401, "unauthorized")
        assert server.price()["price"] == 30
        put(lists["trusted"], OLD.line)
        assert server.push(pushes).status_code == 200
        assert server.price()["price"] == 40


def test_roles_of_a_running_server_are_those_of_the_file(tmp_path: Path, lists: dict[str, Path]) -> None:
    """Taken away, a role is missing at the next push; who still has another one is told which."""
    shop = Shop(tmp_path / "srv", author=OLD)
    put(lists["trusted"], f"{OLD.line}\n{Author('ben@desk').line}\n")
    put(lists["roles"], "ana@laptop push shop/test\nben@desk push shop/test\n")
    with serve(shop, **environ(lists)) as server:
        assert rate(server, OLD, 3)[0] == 200
        put(lists["roles"], "ana@laptop rollback shop/test\nben@desk push shop/test\n")
        status, said = rate(server, OLD, 4)
        assert (status, said["code"]) == (403, "role-missing")
        assert "ana@laptop" in said["detail"]
        answer = server.client.get("/_habanero/v1/keys", headers=OLD.read("/v1/keys")).json()
        assert [(key["principals"], key["roles"]) for key in answer["keys"]] == [
            (["ana@laptop"], ["read", "rollback"]),
            (["ben@desk"], ["push", "read"]),
        ]
        put(lists["roles"], "ben@desk push shop/test\n")
        assert server.client.get("/_habanero/v1/keys", headers=OLD.read("/v1/keys")).status_code == 401

"""The command and a server that hides from strangers: everything works for who has a key, and nothing shows."""

from __future__ import annotations

from pathlib import Path

import httpx
from sites import PRICING, make_site


def test_a_hidden_server_is_worked_with_as_any_other(tmp_path: Path, private_config: Path) -> None:
    """Doctor, dry run, push, status and rollback; meanwhile strangers and other names see the app alone."""
    site = make_site(tmp_path)
    settings = {"HABANERO_STRANGERS": "hide", "HABANERO_ALLOWED_HOSTS": "127.0.0.1"}
    site.server = {**site.server, **settings}
    with site.serve():
        assert all(check["ok"] for check in site.command("doctor"))
        site.save(PRICING.replace("amount * 2", "amount * 3"))
        assert site.command("push", "--dry-run")[-1]["event"] == "dry-run"
        assert site.command("push", "--once")[-1]["event"] == "live"
        assert site.price()["price"] == 30
        url = f"http://127.0.0.1:{site.port}/_habanero/v1/push"
        for ask in (lambda: httpx.get(url, timeout=10), lambda: httpx.post(url, content=b"x", timeout=10)):
            assert (ask().status_code, ask().json()) == (404, {"detail": "Not Found"})
        named = httpx.get(url, headers={"Host": "evil.test"}, timeout=10)
        assert (named.status_code, named.json()) == (404, {"detail": "Not Found"})
        site.command("rollback", "0", "--yes")
        assert site.price()["price"] == 20

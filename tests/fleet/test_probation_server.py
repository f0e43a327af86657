"""Errors out of a release, on a real server: it is withdrawn on every worker, and everything else lives on."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import MAIN, Server, Shop, serve, wait_until

from habanero_receiver.release.statement import NEVER, Withdraw

GOOD = MAIN + '''

seen = []


@app.get("/count")
def count():
    seen.append(1)
    return {"count": len(seen), "pid": os.getpid()}


@app.get("/thread")
def in_thread():
    import threading
    threading.Thread(target=pricing.price, args=(1,), name="side").start()
'''
BAD = """
from shop.rates import RATE


def price(amount):
    missing = None
    return amount * RATE + missing["fee"]
"""
MENDED = """
from shop.rates import RATE


def price(amount):
    return amount * RATE + 1
"""


def shop_at(folder: Path) -> Shop:
    shop = Shop(folder / "srv")
    (shop.root / "main.py").write_text(GOOD)
    return shop


def errors(server: Server) -> dict[str, Any]:
    answer = server.client.get("/_habanero/v1/errors", headers=server.author.read("/v1/errors"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def reports(server: Server) -> list[dict[str, Any]]:
    return [report for worker in errors(server)["workers"] for report in worker["reports"]]


def fail(server: Server, times: int) -> None:
    """Each over a connection of its own: a server closes the one on which an exception came out of the app."""
    for _ in range(times):
        answer = httpx.get(f"http://127.0.0.1:{server.port}/price", timeout=20)
        assert answer.status_code in (200, 500), answer.text  # 200 once the release was withdrawn


def counts(server: Server, workers: int) -> dict[int, int]:
    """What each worker has counted, by its process; asks until all have answered."""
    found: dict[int, int] = {}
    deadline = time.monotonic() + 20
    while len(found) < workers:
        assert time.monotonic() < deadline
        said = httpx.get(f"http://127.0.0.1:{server.port}/count").json()
        found[said["pid"]] = said["count"]
    return found


def running(server: Server) -> set[int]:
    return {worker["running"] for machine in server.state()["machines"] for worker in machine["workers"]}


def test_errors_take_every_worker_back_and_a_mended_push_goes_on(tmp_path: Path) -> None:
    """Two workers: one sees the errors, both fall back, with all that is in their memory; the next push is live."""
    with serve(shop_at(tmp_path), workers=2) as server:
        assert server.push(server.next({"shop.rates": "RATE = 5\n"})).status_code == 200
        before = counts(server, 2)
        bad = server.next({"shop.rates": "RATE = 5\n", "shop.pricing": BAD}, withdraw=Withdraw(3, 300))
        assert server.push(bad).json()["in_step"] is True
        fail(server, 5)  # of two workers, one has to get three
        wait_until(lambda: running(server) == {1}, what=server.state)
        assert server.price()["price"] == 50
        after = counts(server, 2)
        assert after.keys() == before.keys() and all(after[pid] > before[pid] for pid in before)
        withdrawn = server.state()["withdrawn"]
        assert (withdrawn["seq"], withdrawn["runs"], withdrawn["machine"]) == (2, 1, "box")
        assert "3 errors out of its code within a minute" in withdrawn["reason"]
        assert "TypeError in shop.pricing.price:7" in withdrawn["reason"]
        wait_until(lambda: len(reports(server)) >= 1, what=lambda: errors(server))
        report = reports(server)[0]
        assert (report["release"], report["kind"], report["where"]) == (2, "TypeError", "GET /price")
        assert 'return amount * RATE + missing["fee"]' in report["traceback"]
        assert report["traceback"].splitlines()[-1] == "TypeError: 'NoneType' object is not subscriptable"

        mended = server.push(server.next({"shop.rates": "RATE = 5\n", "shop.pricing": MENDED})).json()
        assert mended["in_step"] is True and mended["seq"] == 3
        assert server.price()["price"] == 51 and server.state()["withdrawn"] is None
        last = counts(server, 2)
        assert all(last[pid] > after[pid] for pid in before)


def test_the_first_release_goes_back_to_what_was_deployed_and_a_restart_stays_there(tmp_path: Path) -> None:
    """The predecessor of release 1 is the base; a clear has it tried again."""
    shop = shop_at(tmp_path)
    with serve(shop) as server:
        bad = server.next({"shop.pricing": BAD}, withdraw=Withdraw(2, 300))
        assert server.push(bad).status_code == 200
        fail(server, 2)
        wait_until(lambda: running(server) == {0}, what=server.state)
        server.kill()
    with serve(shop) as server:
        assert server.price()["price"] == 20 and server.state()["withdrawn"]["seq"] == 1
        clear = server.next({"shop.pricing": BAD}, withdraw=Withdraw(2, 300), kind="clear", restores=1)
        assert server.push(clear).status_code == 200
        fail(server, 2)
        wait_until(lambda: running(server) == {0}, what=server.state)
        assert server.price()["price"] == 20


@pytest.fixture
def server(tmp_path: Path):
    with serve(shop_at(tmp_path)) as started:
        yield started


def test_without_a_policy_errors_are_reported_and_nothing_more(server: Server) -> None:
    """Each kind once, with a count; also those that end a thread."""
    assert server.push(server.next({"shop.pricing": BAD}, withdraw=NEVER)).status_code == 200
    fail(server, 7)
    assert server.client.get("/thread").status_code == 200

    def seen() -> dict[str, int]:
        return {report["where"]: report["times"] for report in reports(server)}

    wait_until(lambda: seen() == {"GET /price": 7, "thread side": 1}, what=lambda: errors(server))
    assert server.state()["withdrawn"] is None and running(server) == {1}


def test_errors_of_code_that_did_not_come_with_the_release_do_not_count(server: Server) -> None:
    """A function of the base, and one of an older release, fail on: the newest release is not held to it."""
    first = {"shop.pricing": BAD}
    assert server.push(server.next(first, withdraw=NEVER)).status_code == 200
    wait_until(lambda: running(server) == {1}, what=server.state)  # who skips a release cannot tell its code
    second = first | {"shop.rates": "RATE = 3\n", "shop.fresh": "def nothing():\n    return None\n"}
    assert server.push(server.next(second, withdraw=Withdraw(1, 300))).status_code == 200
    wait_until(lambda: running(server) == {2}, what=server.state)
    moved = {**second, "shop.pricing": "# a comment that moves every line\n" + BAD}
    assert server.push(server.next(moved, withdraw=Withdraw(1, 300))).status_code == 200
    fail(server, 3)
    wait_until(lambda: [report["times"] for report in reports(server)] == [3], what=lambda: errors(server))
    [report] = reports(server)
    assert (report["release"], report["place"]) == (1, "shop.pricing.price:8")
    assert server.state()["withdrawn"] is None and running(server) == {3}


def test_a_stranger_does_not_see_errors(server: Server) -> None:
    """Tracebacks are source code: without a signature there is nothing."""
    assert server.client.get("/_habanero/v1/errors").status_code == 401


def test_errors_beside_requests_that_go_on(server: Server) -> None:
    """While the release is withdrawn, requests to other paths see no failure."""
    statuses: list[int] = []
    over = threading.Event()

    def load() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=20) as client:
            while not over.is_set():
                statuses.append(client.get("/count").status_code)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        for rate in range(3):
            bad = server.next({"shop.pricing": BAD + f"\n# {rate}\n"}, withdraw=Withdraw(1, 300))
            assert server.push(bad).status_code == 200
            fail(server, 1)
            wait_until(lambda: running(server) == {0}, what=server.state)
    finally:
        over.set()
        thread.join()
    assert len(statuses) > 10 and set(statuses) == {200}

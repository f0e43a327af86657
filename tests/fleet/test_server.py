"""A real uvicorn with a real engine and a real bucket: pushes, restarts, several workers, load."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from authoring import Author
from serving import MAIN, RATES, Server, Shop, serve, wait_until
from websockets.sync.client import connect

from habanero_receiver.release.body import MEDIA_TYPE


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One process that several tests push to, each from whatever it runs."""
    with serve(Shop(tmp_path_factory.mktemp("one") / "srv")) as started:
        yield started


def test_a_push_changes_the_running_process_entry_module_included(server: Server) -> None:
    """The same process answers differently after the push: an imported module and the entry module changed together."""
    before = server.price()
    answer = server.push(server.next({"shop.rates": "RATE = 7\n", "main": MAIN.replace('"one"', '"seven"')}))
    assert answer.status_code == 200, answer.text
    assert answer.json()["in_step"] is True
    after = server.price()
    assert (after["price"], after["label"], after["pid"]) == (70, "seven", before["pid"])


def test_a_dry_run_shows_what_would_happen(server: Server) -> None:
    """The engine's report without the change."""
    before = server.price()
    answer = server.push(server.next({"shop.pricing": "def price(amount):\n    return 0\n"}), "check")
    assert answer.status_code == 200, answer.text
    modules = {module["module"]: module for module in answer.json()["report"]["modules"]}
    assert "price" in modules["shop.pricing"]["patched"]
    assert server.price() == before


def test_a_statement_that_raises_leaves_the_process_as_it_was(server: Server) -> None:
    """Two modules change, the second raises: neither has changed afterwards, and nothing is recorded."""
    state, before = server.state(), server.price()
    answer = server.push(server.next({"shop.rates": "RATE = 8\n", "main": MAIN + "\n[].pop()\n"}))
    assert answer.status_code in (422, 500), answer.text
    assert "IndexError" in answer.text
    assert server.price() == before and server.state()["head"] == state["head"]


PLAYERS = """
class Player:
    def __init__(self, name):
        self.name = name
{hook}

PLAYERS = [Player(n) for n in "abc"]
LIMIT = 1
DOUBLE = [LIMIT * 2]
"""
HOOK = "    def __code_change__(self, old=None):\n        self.first = old['name']"


def test_a_dry_run_counts_instances_and_names_what_is_stale(server: Server) -> None:
    """Without a change, the author learns on how many living objects a hook would be called, and what would be kept."""
    main = MAIN.replace("from shop", "import shop.players\nfrom shop")
    first = {"shop.players": PLAYERS.format(hook=""), "main": main}
    assert server.push(server.next(first)).status_code == 200
    second = first | {"shop.players": PLAYERS.format(hook=HOOK).replace("LIMIT = 1", "LIMIT = 5")}
    answer = server.push(server.next(second), "check")
    assert answer.status_code == 200, answer.text
    [module] = [each for each in answer.json()["report"]["modules"] if each["module"] == "shop.players"]
    assert module["migrated"] == ["Player: 3 instances"]
    answer = server.push(server.next(second))
    [module] = [each for each in answer.json()["report"]["modules"] if each["module"] == "shop.players"]
    assert [entry.partition(" ")[0] for entry in module["stale"]] == ["DOUBLE"]


def test_a_statement_that_raises_is_named_in_the_answer(server: Server) -> None:
    """Staged or run in the commit: module, unit, line and the author's own frames, with the text that was pushed."""
    for text, unit, code in (
        ("RATE = 2\n\nBAD = RATE / 0  # here\n", "BAD =", "swap-refused"),
        ("RATE = 2\n\nclass Bad:\n    x = 1 / 0  # here\n", "class Bad", "rolled-back"),
    ):
        problem = server.push(server.next({"shop.rates": text})).json()
        assert problem["code"] == code, problem
        [module] = [each for each in problem["details"]["report"]["modules"] if each["refused"]]
        [refused] = module["refused"]
        line = text[: text.index("#")].count("\n") + 1
        assert (module["module"], refused["unit"], refused["line"]) == ("shop.rates", unit, line)
        assert "ZeroDivisionError" in refused["reason"] and refused["help"]
        assert "# here" in refused["traceback"] and "habanero_receiver" not in refused["traceback"]
        assert problem["details"]["traceback"] == refused["traceback"]


def test_a_release_without_changes_goes_back_to_the_base(server: Server) -> None:
    """An empty overlay restores what was deployed, live, though the files were edited meanwhile."""
    server.push(server.next({"shop.rates": "RATE = 9\n"}))
    assert server.price()["price"] == 90
    assert server.push(server.next({})).status_code == 200
    assert (server.price()["price"], server.price()["label"]) == (20, "one")


def test_a_forged_push_over_a_socket_is_turned_away(server: Server) -> None:
    """The uniform 401, and the process runs on."""
    before = server.state()["head"]
    state = server.state()
    forged = Author("mallory").push(state["base"], {"shop.rates": "RATE = 0\n"}, seq=1)
    assert server.push(forged).status_code == 401
    assert server.state()["head"] == before


def test_a_damaged_entry_in_the_journal_is_named_until_it_is_moved_away(tmp_path: Path) -> None:
    """Pushes and dry runs say which entry blocks the journal; the process runs on, and goes on when it is gone."""
    shop = Shop(tmp_path / "srv")
    with serve(shop) as server:
        assert server.push(server.next({"shop.rates": "RATE = 3\n"})).status_code == 200
        [first] = shop.bucket.rglob("journal/00000001.json")
        damaged = first.with_name("00000002.json")
        damaged.write_bytes(first.read_bytes()[:-40])
        answer = server.push(server.next({"shop.rates": "RATE = 4\n"}))
        assert (answer.status_code, answer.json()["code"]) == (500, "journal-entry"), answer.text
        assert answer.json()["subject"] == damaged.relative_to(shop.bucket).as_posix()
        dry = server.next({"shop.rates": "RATE = 4\n"})
        wait_until(lambda: server.push(dry, "check").json().get("code") == "journal-entry", what=server.state)
        assert server.state()["running"]["seq"] == 1
        assert server.price()["price"] == 30
        damaged.rename(shop.root / "kept-for-the-inquiry.json")
        assert server.push(server.next({"shop.rates": "RATE = 4\n"})).status_code == 200
        assert server.price()["price"] == 40


def raw(server: Server, request: bytes) -> bytes:
    """Speak HTTP by hand, and read until the server closes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection, suppress(ConnectionError):
        connection.sendall(request)
        while chunk := connection.recv(65_536):
            answer += chunk
    return answer


def head(*lines: str) -> bytes:
    return "\r\n".join(["POST /_habanero/v1/push HTTP/1.1", "Host: shop", *lines, "", ""]).encode()


def test_a_declared_length_over_the_limit_is_refused_before_the_body(server: Server) -> None:
    """413 comes at once, without "100 Continue", and the connection is closed."""
    answer = raw(server, head(f"Content-Type: {MEDIA_TYPE}", "Content-Length: 9999999999", "Expect: 100-continue"))
    assert answer.startswith(b"HTTP/1.1 413") and b"100 Continue" not in answer
    assert b"connection: close" in answer.lower()


def test_a_chunked_body_without_end_is_cut_off(server: Server) -> None:
    """A stranger who sends on and on is disconnected, with an answer if there is still someone to read it."""
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    answer = raw(server, head(f"Content-Type: {MEDIA_TYPE}", "Transfer-Encoding: chunked") + chunk * 300)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert server.price()["pid"] == server.process.pid


def test_requests_see_no_failure_and_no_half_release_while_pushes_go_in(server: Server) -> None:
    """Under steady requests every answer is 200 and from one release, never from half of one."""
    statuses: list[int] = []
    torn: list[dict[str, Any]] = []
    over = threading.Event()

    def load() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=20) as client:
            while not over.is_set():
                answer = client.get("/price")
                statuses.append(answer.status_code)
                said = answer.json()
                if said["label"] != f"r{said['price'] // 10}" and said["label"] != "one":
                    torn.append(said)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for rate in range(20, 35):
        release = {"shop.rates": f"RATE = {rate}\n", "main": MAIN.replace('"one"', f'"r{rate}"')}
        assert server.push(server.next(release)).status_code == 200
    over.set()
    for thread in threads:
        thread.join()
    assert len(statuses) > 50 and set(statuses) == {200} and torn == []


def test_every_worker_follows_and_the_answer_waits_for_them(tmp_path: Path) -> None:
    """A push to one of three workers is live on all when its answer comes, and a new worker starts on it."""
    shop = Shop(tmp_path / "srv")
    with serve(shop, workers=3) as server:
        answer = server.push(server.next({"shop.rates": "RATE = 5\n"})).json()
        [machine] = answer["machines"]
        assert answer["in_step"] is True and len(machine["workers"]) == 3
        assert {worker["running"] for worker in machine["workers"]} == {1}
        seen = {httpx.get(f"http://127.0.0.1:{server.port}/price").json()["price"] for _ in range(20)}
        assert seen == {50}
    left = list((shop.bucket / "v1" / "shop" / "test").rglob("hosts/*.json"))
    assert left == []


def test_concurrent_pushes_to_several_workers_make_one_chain(tmp_path: Path) -> None:
    """Of authors who push at the same moment one wins each number; the others are told; nobody is out of step."""
    shop = Shop(tmp_path / "srv")
    with serve(shop, workers=2) as server:
        codes: list[int] = []

        def author(rate: int) -> None:
            with httpx.Client(base_url=server.client.base_url, timeout=20) as client:
                mine = Server(server.process, server.port, server.author, client)
                for turn in range(4):
                    codes.append(mine.push(mine.next({"shop.rates": f"RATE = {rate + turn}\n"})).status_code)

        threads = [threading.Thread(target=author, args=(100 * number,)) for number in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(codes) <= {200, 409, 503} and codes.count(200) >= 1
        wins = codes.count(200)
        wait_until(lambda: _in_step(server, wins), what=server.state)


def _in_step(server: Server, seq: int) -> bool:
    workers = [worker for machine in server.state()["machines"] for worker in machine["workers"]]
    return {worker["running"] for worker in workers} == {seq}


def test_a_restart_comes_back_on_the_release_before_its_modules_are_imported(tmp_path: Path) -> None:
    """Both kinds of start: the import at the top of the entry module, and nothing left of the base."""
    shop = Shop(tmp_path / "srv")
    with serve(shop) as server:
        release = {"shop.rates": "RATE = 6\n", "shop.fresh": "X = 1\n", "main": MAIN.replace('"one"', '"six"')}
        assert server.push(server.next(release)).status_code == 200
        server.kill()
    with serve(shop) as server:
        assert (server.price()["price"], server.price()["label"]) == (60, "six")
        assert server.state()["running"]["seq"] == 1


def test_a_new_deployment_starts_clean(tmp_path: Path) -> None:
    """Other files on disk are another base: no release of the old one is applied."""
    shop = Shop(tmp_path / "srv")
    with serve(shop) as server:
        assert server.push(server.next({"shop.rates": "RATE = 6\n"})).status_code == 200
    (shop.root / "shop" / "rates.py").write_text(RATES.replace("2", "3"))
    with serve(shop) as server:
        assert server.price()["price"] == 30
        assert server.state()["head"]["seq"] == 0


def test_without_keys_there_is_nothing_below_the_prefix(tmp_path: Path) -> None:
    """A receiver that is off is the app's own 404."""
    with serve(Shop(tmp_path / "srv"), with_receiver=False, HABANERO_TRUSTED_KEYS="") as server:
        answer = server.client.get("/_habanero/v1/state")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


def test_open_websockets_and_what_the_app_counted_outlive_every_push(tmp_path: Path) -> None:
    """The same connections speak for the new code, and the list that the app appends to goes on."""
    with serve(Shop(tmp_path / "srv")) as server, ExitStack() as open_all:
        sockets = [open_all.enter_context(connect(f"ws://127.0.0.1:{server.port}/ticks")) for _ in range(5)]
        counts: list[int] = []
        for rate in range(3, 8):
            assert server.push(server.next({"shop.rates": f"RATE = {rate}\n"})).status_code == 200
            for each in sockets:
                each.send("tick")
                said = json.loads(each.recv(timeout=10))
                assert said["price"] == 10 * rate
                counts.append(said["count"])
        assert counts == list(range(1, 26))

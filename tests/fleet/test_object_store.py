"""The whole receiver on an object store: real servers, real HTTP, real kills; no disk is shared."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from faulty import Asked, Proxy, always, faulty, in_turn
from objectstores import ObjectStore
from serving import Server, Shop, end, free_port, serve, wait_until

from habanero_receiver.journal.stores import address

POLL = {"HABANERO_POLL": "0.2"}


@pytest.fixture
def bucket(s3: ObjectStore) -> dict[str, str]:
    """The settings of a server whose bucket is on the store."""
    return {**s3.environ(), **POLL, "HABANERO_BUCKET": s3.make_bucket()}


def by_way_of(proxy: Proxy, bucket: dict[str, str]) -> dict[str, str]:
    return {**bucket, "AWS_ENDPOINT_URL_S3": proxy.endpoint}


def workers_of(server: Server) -> dict[int, int]:
    try:
        state = server.state()
    except (httpx.TransportError, AssertionError):
        return {}
    return {worker["pid"]: worker["running"] for machine in state["machines"] for worker in machine["workers"]}


def test_a_change_survives_a_kill_and_an_empty_disk(tmp_path: Path, s3: ObjectStore) -> None:
    """Pushed, killed, started on a new machine that has only what was deployed, with the variables of fly."""
    name = s3.make_bucket().removeprefix("s3://").partition("/")[0]
    fly = {**s3.environ(), **POLL, "BUCKET_NAME": name, "AWS_REGION": "auto", "HABANERO_BUCKET": ""}
    shop = Shop(tmp_path / "first")
    with serve(shop, **fly) as server:
        answer = server.push(server.next({"shop.rates": "RATE = 7\n"}))
        assert answer.status_code == 200 and answer.json()["in_step"] is True, answer.text
        assert server.price()["price"] == 70
        server.kill()
    assert any(key.endswith("journal/00000001.json") for key in s3.keys(f"s3://{name}/{address.FLY_PREFIX}"))
    shutil.rmtree(tmp_path / "first")
    with serve(Shop(tmp_path / "second", author=shop.author), **fly) as server:
        assert server.price()["price"] == 70
        assert server.state()["running"]["seq"] == 1


def test_a_push_to_one_machine_reaches_the_other_by_its_follower(tmp_path: Path, bucket: dict[str, str]) -> None:
    """Two machines with disks of their own and one bucket: both are in the answer, and both run the change."""
    one = Shop(tmp_path / "one")
    two = Shop(tmp_path / "two", author=one.author)
    with (
        serve(one, HABANERO_INSTANCE="one", **bucket) as first,
        serve(two, HABANERO_INSTANCE="two", **bucket) as second,
    ):
        wait_until(lambda: len(workers_of(first)) == 2)
        answer = first.push(first.next({"shop.rates": "RATE = 8\n"})).json()
        assert answer["in_step"] is True, answer
        assert {machine["machine"] for machine in answer["machines"]} == {"one", "two"}
        assert (first.price()["price"], second.price()["price"]) == (80, 80)
        answer = second.push(second.next({"shop.rates": "RATE = 9\n"})).json()
        assert answer["in_step"] is True and first.price()["price"] == 90


def test_workers_of_a_preloading_server_follow_and_are_replaced(tmp_path: Path, bucket: dict[str, str]) -> None:
    """Gunicorn imports the app, which boots, before it forks; a worker that was killed comes back in step."""
    shop, port = Shop(tmp_path / "srv"), free_port()
    words = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "gunicorn",
        "main:app",
        "--preload",
        "-w",
        "2",
        "-b",
        f"127.0.0.1:{port}",
    ]
    with group(shop, [*words, "-k", "uvicorn.workers.UvicornWorker", "--log-level", "warning"], bucket) as process:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            server, log = Server(process, port, shop.author, client), shop.root / "server.log"
            wait_until(lambda: len(workers_of(server)) == 2, what=log.read_text)
            answer = server.push(server.next({"shop.rates": "RATE = 5\n"}))
            assert answer.status_code == 200 and answer.json()["in_step"] is True, answer.text
            before = workers_of(server)
            os.kill(next(iter(before)), signal.SIGKILL)
            client.close()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            server = Server(process, port, shop.author, client)
            wait_until(lambda: set(workers_of(server)) - set(before) != set(), what=log.read_text)
            wait_until(lambda: set(workers_of(server).values()) == {1}, what=log.read_text)


@contextmanager
def group(shop: Shop, words: list[str], environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a command in the shop's folder, in a process group that ends with the block."""
    with (shop.root / "server.log").open("w") as log:
        process = subprocess.Popen(
            words, cwd=shop.root, env=shop.environ(**environ), stdout=log, stderr=log, text=True, start_new_session=True
        )
    try:
        yield process
    finally:
        end(process)


def test_a_stale_or_empty_answer_of_the_store_moves_no_process_backwards(
    tmp_path: Path, s3: ObjectStore, bucket: dict[str, str]
) -> None:
    """A store that says for a while that it has nothing at all changes nothing of what runs; then it goes on."""
    shop = Shop(tmp_path / "srv")
    absent = "answer:404:<Error><Code>NoSuchKey</Code></Error>"
    with faulty(s3.endpoint, in_turn()) as proxy, serve(shop, **by_way_of(proxy, bucket)) as server:
        assert server.push(server.next({"shop.rates": "RATE = 7\n"})).status_code == 200
        proxy.plan = always(absent, lambda asked: asked.method == "GET" and "list-type" not in asked.path)
        wait_until(lambda: sum(polls(proxy.asked, "00000002.json")) > 5)
        seen = proxy.broken["answer"]
        wait_until(lambda: proxy.broken["answer"] > seen + 5)
        assert server.price()["price"] == 70 and server.state()["running"]["seq"] == 1
        proxy.plan = in_turn()
        assert server.push(server.next({"shop.rates": "RATE = 8\n"})).status_code == 200
        assert server.price()["price"] == 80


def polls(asked: list[Asked], entry: str) -> list[bool]:
    return [request.method == "GET" and request.path.endswith(entry) for request in list(asked)]


def test_a_store_that_is_away_delays_a_push_and_breaks_nothing(
    tmp_path: Path, s3: ObjectStore, bucket: dict[str, str]
) -> None:
    """The app serves on; the push is refused and undone; when the store is back, the next one goes through."""
    shop = Shop(tmp_path / "srv")
    with faulty(s3.endpoint, in_turn()) as proxy, serve(shop, **by_way_of(proxy, bucket)) as server:
        proxy.plan = always("answer:403:<Error><Code>AccessDenied</Code></Error>", lambda asked: asked.method == "PUT")
        answer = server.push(server.next({"shop.rates": "RATE = 7\n"}))
        assert (answer.status_code, answer.json()["code"]) == (503, "store-denied")
        assert server.price()["price"] == 20
        proxy.plan = in_turn()
        assert server.push(server.next({"shop.rates": "RATE = 7\n"})).status_code == 200


def test_a_server_starts_on_its_base_when_the_bucket_is_not_there(tmp_path: Path, s3: ObjectStore) -> None:
    """A misspelt bucket is an error in the log that says so, not an empty journal."""
    shop = Shop(tmp_path / "srv")
    environ = {**s3.environ(), **POLL, "HABANERO_BUCKET": "s3://no-such-bucket-here"}
    with serve(shop, with_receiver=False, **environ) as server:
        assert server.price()["price"] == 20
        assert "there is no bucket no-such-bucket-here" in (shop.root / "server.log").read_text()

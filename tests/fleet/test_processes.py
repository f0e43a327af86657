"""Other ways to have processes: forked from one that has imported the app, and without any ASGI server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from serving import Server, Shop, end, free_port, serve, wait_until

from habanero_receiver.journal.base import Base
from habanero_receiver.journal.bucket import open_bucket
from habanero_receiver.journal.journal import Journal

PREFORK = """
import os
import signal
import socket
import sys

import uvicorn

import main

listening = socket.socket()
listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listening.bind(("127.0.0.1", int(sys.argv[1])))
listening.listen()
children = []


def fork(*_):
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        uvicorn.Server(uvicorn.Config(main.app, log_level="warning")).run(sockets=[listening])
        os._exit(0)
    children.append(child)


def stop(*_):
    for child in children:
        os.kill(child, signal.SIGTERM)
    sys.exit()


signal.signal(signal.SIGUSR1, fork)
signal.signal(signal.SIGTERM, stop)
fork()
fork()
while True:
    signal.pause()
"""
LOOP = """
import sys

from habanero_receiver import Receiver

receiver = Receiver.from_env()

from shop import pricing

receiver.start()
for line in sys.stdin:
    print(pricing.price(10), flush=True)
receiver.stop()
"""


@contextmanager
def started(shop: Shop, script: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a script of the shop's in a process group of its own."""
    (shop.root / "script.py").write_text(script)
    with (shop.root / "script.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "script.py", *words],
            cwd=shop.root,
            env=shop.environ(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        with process:
            yield process
            end(process)
    finally:
        end(process)


def workers_of(server: Server) -> dict[int, int]:
    """What each live worker runs, by pid; empty while nobody answers."""
    try:
        state = server.state()
    except httpx.TransportError:
        return {}
    return {worker["pid"]: worker["running"] for machine in state["machines"] for worker in machine["workers"]}


def test_workers_forked_from_a_process_that_imported_the_app_follow(tmp_path: Path) -> None:
    """Preloading servers fork after boot: each child follows by itself, one forked later catches up at its start."""
    shop, port = Shop(tmp_path / "srv"), free_port()
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)
    with started(shop, PREFORK, str(port)) as process, client:
        server = Server(process, port, shop.author, client)
        log = shop.root / "script.log"
        wait_until(lambda: len(workers_of(server)) == 2, what=log.read_text)
        answer = server.push(server.next({"shop.rates": "RATE = 5\n"}))
        assert answer.status_code == 200 and answer.json()["in_step"] is True
        assert set(workers_of(server).values()) == {1}
        os.kill(process.pid, signal.SIGUSR1)
        wait_until(lambda: list(workers_of(server).values()) == [1, 1, 1], what=log.read_text)
        prices = {httpx.get(f"http://127.0.0.1:{port}/price").json()["price"] for _ in range(20)}
        assert prices == {50}


STATE = """
from shop.rates import RATE
seen = ["{seen}"]
def price(amount):
    return "-".join(seen)
"""
HOOK = """
def __code_change__(old):
    seen[:] = [*old["seen"], "{seen}"]
"""


def test_a_worker_that_slept_through_releases_migrates_by_each(tmp_path: Path) -> None:
    """A process that was stopped while two releases with hooks were recorded runs both hooks, in their order."""
    shop = Shop(tmp_path / "srv")
    (shop.root / "shop" / "pricing.py").write_text(STATE.format(seen="born"))
    base = Base.scan(shop.root, ["shop", "main"]).digest
    journal = Journal(open_bucket(f"file://{shop.bucket}"), "shop", "test", base)
    with started(shop, LOOP) as worker:
        assert worker.stdin is not None and worker.stdout is not None
        stdin, stdout = worker.stdin, worker.stdout

        def price() -> str:
            stdin.write("\n")
            stdin.flush()
            return stdout.readline().strip()

        assert price() == "born"
        os.kill(worker.pid, signal.SIGSTOP)
        prev = base
        for seq, word in enumerate(("first", "second"), 1):
            text = STATE.format(seen="born") + HOOK.format(seen=word)
            push = shop.author.push(base, {"shop.pricing": text}, seq=seq, prev=prev)
            journal.put_blobs([push.manifest, *push.blobs.values()])
            assert journal.append(seq, push.envelope.encode())
            prev = push.digest
        os.kill(worker.pid, signal.SIGCONT)
        wait_until(lambda: price() == "born-first-second", what=(shop.root / "script.log").read_text)


def test_a_program_without_a_server_follows_the_journal(tmp_path: Path) -> None:
    """What is pushed to the web workers is live in a worker of another kind over the same base."""
    shop = Shop(tmp_path / "srv")
    with started(shop, LOOP) as worker, serve(shop) as server:
        assert worker.stdin is not None and worker.stdout is not None
        stdin, stdout = worker.stdin, worker.stdout

        def price() -> str:
            stdin.write("\n")
            stdin.flush()
            return stdout.readline().strip()

        assert price() == "20"
        wait_until(lambda: len(workers_of(server)) == 2)
        answer = server.push(server.next({"shop.rates": "RATE = 6\n"})).json()
        assert answer["in_step"] is True and len(answer["machines"][0]["workers"]) == 2
        assert price() == "60"

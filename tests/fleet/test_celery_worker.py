"""A real Celery worker with a prefork pool beside a real server: one push reaches its main process and its children."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from serving import Server, Shop, end, serve, wait_until

pytest.importorskip("celery")

JOBS = """
import os
from habanero_receiver import Receiver

receiver = Receiver.from_env()

from celery import Celery
from celery.signals import worker_process_init, worker_ready, worker_shutting_down

from shop import pricing

app = Celery("jobs", broker="filesystem://", backend="file://results")
app.conf.broker_transport_options = {
    "data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control", "polling_interval": 0.05,
}
DONE = []


@worker_ready.connect
def follow_in_the_main_process(**given):
    receiver.start()


@worker_process_init.connect
def follow_in_a_child(**given):
    receiver.start()


@app.task(name="price")
def price(amount):
    DONE.append(amount)
    return {"price": pricing.price(amount), "pid": os.getpid(), "done": len(DONE)}
"""
ASK = "import json, sys, jobs; print(json.dumps(jobs.app.send_task(sys.argv[1], [10]).get(timeout=20, interval=0.05)))"


class Worker:
    """A running worker, and what its tasks answer."""

    def __init__(self, shop: Shop, process: subprocess.Popen[bytes]) -> None:
        self.shop, self.process = shop, process

    def ask(self, task: str) -> dict[str, int]:
        """Send a task from a process of its own, as a client does that knows nothing of releases."""
        environ = {name: text for name, text in self.shop.environ().items() if not name.startswith("HABANERO_")}
        command = [sys.executable, "-c", ASK, task]
        done = subprocess.run(command, cwd=self.shop.root, env=environ, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr + self.log()
        answer: dict[str, int] = json.loads(done.stdout)
        return answer

    def log(self) -> str:
        return (self.shop.root / "celery.log").read_text()

    def says(self, text: str) -> bool:
        assert self.process.poll() is None, self.log()
        return text in self.log()


@contextmanager
def working(shop: Shop) -> Iterator[Worker]:
    """A worker whose one child is replaced after three tasks, until the end of the block."""
    command = [sys.executable, "-m", "celery", "-A", "jobs", "worker", "--pool", "prefork", "-c", "1"]
    with (shop.root / "celery.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--max-tasks-per-child", "3", "--without-gossip", "--without-mingle", "-l", "info"],
            cwd=shop.root, env=environ(shop), stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    worker = Worker(shop, process)
    try:
        wait_until(lambda: worker.says("ready."), what=worker.log)
        yield worker
    finally:
        end(process)  # type: ignore[arg-type]  # of bytes or text alike


def environ(shop: Shop) -> dict[str, str]:
    return shop.environ(HABANERO_MODULES="shop,main,jobs", HABANERO_INSTANCE="jobs")


def processes(server: Server, instance: str) -> list[dict[str, object]]:
    return [w for m in server.state()["machines"] if m["machine"] == instance for w in m["workers"]]


def test_a_prefork_pool_follows(tmp_path: Path) -> None:
    """The child's own state lives on, a new task is consumed, and the child that comes after it runs the release."""
    shop = Shop(tmp_path / "srv")
    (shop.root / "jobs.py").write_text(JOBS)
    for folder in ("queue", "control", "results"):
        (shop.root / folder).mkdir()
    with serve(shop, HABANERO_MODULES="shop,main,jobs") as server, working(shop) as worker:
        wait_until(lambda: len(processes(server, "jobs")) == 2, what=lambda: f"{server.state()} {worker.log()}")
        first = worker.ask("price")
        assert (first["price"], first["done"]) == (20, 1)
        more = JOBS + '\n\n@app.task(name="fresh")\ndef fresh(amount):\n    return {"fresh": -amount}\n'
        answer = server.push(server.next({"shop.rates": "RATE = 7\n", "jobs": more}))
        assert answer.status_code == 200, answer.text
        assert answer.json()["in_step"] is True, answer.text
        second = worker.ask("price")
        assert (second["price"], second["pid"], second["done"]) == (70, first["pid"], 2)
        assert worker.ask("fresh") == {"fresh": -10}
        third = worker.ask("price")
        assert third["pid"] != first["pid"]
        assert third["price"] == 70
        wait_until(lambda: third["pid"] in [w["pid"] for w in processes(server, "jobs")], what=worker.log)
        assert server.push(server.next({"shop.rates": "RATE = 8\n", "jobs": more})).json()["in_step"] is True
        assert worker.ask("price") == {"price": 80, "pid": third["pid"], "done": 2}

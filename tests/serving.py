"""A small shop served for real: its files, a uvicorn of one or more workers on a free port, and a client for it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from authoring import TARGET, Author, Push

from habanero_receiver.release.body import MEDIA_TYPE

MAIN = '''
import os
from habanero_receiver import Receiver

receiver = Receiver.from_env()

from fastapi import FastAPI, WebSocket

from shop import pricing

app = FastAPI()
started = []


@app.get("/price")
async def price():
    return {"price": pricing.price(10), "label": label(), "pid": os.getpid()}


@app.websocket("/ticks")
async def ticks(socket: WebSocket):
    await socket.accept()
    async for _ in socket.iter_text():
        started.append(1)
        await socket.send_json({"price": pricing.price(10), "count": len(started)})


def label():
    return "one"


receiver.mount(app)
'''
PRICING = '''
from shop.rates import RATE


def price(amount):
    return amount * RATE
'''
RATES = "RATE = 2\n"


@dataclass
class Shop:
    """The files of the app as they are deployed, its bucket, and who may push."""

    root: Path
    author: Author = field(default_factory=Author)

    def __post_init__(self) -> None:
        package = self.root / "shop"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "pricing.py").write_text(PRICING)
        (package / "rates.py").write_text(RATES)
        (self.root / "main.py").write_text(MAIN)

    @property
    def bucket(self) -> Path:
        return self.root / "bucket"

    def environ(self, **more: str) -> dict[str, str]:
        """The environment of a server of this shop, and nothing of this process's own settings."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith(("HABANERO_", "PYTHON"))}
        return {
            **mine,
            "HABANERO_TARGET": TARGET,
            "HABANERO_TRUSTED_KEYS": self.author.line,
            "HABANERO_MODULES": "shop,main",
            "HABANERO_ROOT": str(self.root),
            "HABANERO_BUCKET": f"file://{self.bucket}",
            "HABANERO_INSTANCE": "box",
            "PYTHONDONTWRITEBYTECODE": "1",
            **more,
        }


@dataclass
class Server:
    """A running server and a client that is connected to it."""

    process: subprocess.Popen[str]
    port: int
    author: Author
    client: httpx.Client

    def state(self) -> dict[str, Any]:
        answer = self.client.get("/_habanero/v1/state", headers=self.author.read("/v1/state"))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def push(self, push: Push | bytes, path: str = "push") -> httpx.Response:
        content = push if isinstance(push, bytes) else push.encode()
        return self.client.post(f"/_habanero/v1/{path}", content=content, headers={"Content-Type": MEDIA_TYPE})

    def next(self, modules: Mapping[str, str | None], **changes: Any) -> Push:
        """Sign the release that comes after the head."""
        state = self.state()
        head = state["head"]
        return self.author.push(state["base"], modules, seq=head["seq"] + 1, prev=head["digest"], **changes)

    def price(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get("/price").json()
        return found

    def kill(self) -> None:
        """End the server and its workers as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serve(
    shop: Shop, *, workers: int = 1, module: str = "uvicorn", with_receiver: bool = True, **environ: str
) -> Iterator[Server]:
    """Serve the shop until the end of the block; whatever is left of it then is killed."""
    port = free_port()
    command = [sys.executable, "-m", module, "main:app", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(workers), "--log-level", "warning"]
    with (shop.root / "server.log").open("a") as log:
        process = subprocess.Popen(
            command,
            cwd=shop.root,
            env=shop.environ(**environ),
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,  # a group of its own, so that its workers end with it
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            server = Server(process, port, shop.author, client)
            ready = (lambda: _all_follow(server, workers)) if with_receiver else (lambda: _answers(server))
            wait_until(ready, what=lambda: (shop.root / "server.log").read_text())
            yield server
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """Stop a server and all of its process group."""
    with suppress(subprocess.TimeoutExpired):
        process.terminate()
        process.wait(5)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(5)


def wait_until(true: Any, *, what: Any = lambda: "", timeout_s: float = 20.0) -> None:
    """Look again and again, until it is true or the time is over."""
    deadline = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what()}")
        time.sleep(0.01)


def _answers(server: Server) -> bool:
    if server.process.poll() is not None:
        raise AssertionError("the server has ended")
    try:
        return server.client.get("/price").status_code == 200
    except httpx.TransportError:
        return False


def _all_follow(server: Server, workers: int) -> bool:
    if not _answers(server):
        return False
    alive = [worker for machine in server.state()["machines"] for worker in machine["workers"]]
    return len(alive) >= workers and all(worker["digest"] for worker in alive)

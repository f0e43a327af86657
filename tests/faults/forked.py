"""Servers and short programs that start in a fraction of a second, each a real process that can really be killed.

The libraries are imported once, in a process that runs nothing else; every server is a fork of that one. What concerns
the receiver (settings, base, boot, app) begins in the fork, as it does in a fresh process.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import httpx
from serving import MAIN, Server, Shop, _all_follow, wait_until

from faults import points
from habanero_receiver import boot

Install = Callable[[points.Trap, tuple[Path, ...]], None]
"""Makes the points of a process; `points.install` unless a scenario says otherwise."""
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["faults.__main__", "faults.libraries"])


_MORE = """
import dataclasses
import enum
import functools


@dataclasses.dataclass
class Line:
    amount: int = {rate}

    def total(self):
        return self.amount * {rate}


class Kind(enum.Enum):
    NEW = "new {rate}"


class Cart:
    limit = {rate}

    def add(self, line: Line, more: int = {rate}) -> int:
        return line.total() + more

    @property
    def full(self):
        return self.limit > {rate}


def twice(work):
    @functools.wraps(work)
    def inner():
        return work() * {rate}

    return inner


@twice
def rate():
    return {rate}


TABLE = {{"rate": {rate}, "others": [{rate}]}}
"""


def release(rate: int) -> dict[str, str | None]:
    """Two modules that are right only together: the entry module's label tells the rate of the other.

    All else in it is there to be assigned, and differs with every rate.
    """
    return {"shop.rates": f"RATE = {rate}\n", "main": MAIN.replace('"one"', f'"r{rate}"') + _MORE.format(rate=rate)}


def whole(price: int, label: str) -> int | None:
    """The rate that runs when both modules agree on it; None for a mixture. 2 is the base's."""
    rate = price // 10
    return rate if label == ("one" if rate == 2 else f"r{rate}") else None


class Child:
    """A process, with the names that `serving.Server` knows."""

    def __init__(self, run: Callable[..., None], *given: Any) -> None:
        self._process: ForkServerProcess = _CONTEXT.Process(target=run, args=given, daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        self._process.join(timeout)
        return self._process.exitcode

    def kill(self) -> int | None:
        """End it as a power cut would, unless it has ended; gives how."""
        with suppress(ProcessLookupError):
            if self.poll() is None:
                os.kill(self.pid, signal.SIGKILL)
        return self.wait(10)


@contextmanager
def serve(
    shop: Shop, trap: Path | None = None, *, install: Install = points.install, **environ: str
) -> Iterator[Server]:  # fmt: skip
    """Serve the shop once it follows the journal; at the end of the block whatever is left is killed."""
    told = shop.root / "port"
    told.unlink(missing_ok=True)
    child = Child(_server, shop.root, _settings(shop, environ), told, trap, install)
    try:
        wait_until(told.exists, what=lambda: f"the server ended with {child.poll()}")
        port = int(told.read_text())
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            server = Server(child, port, shop.author, client)  # type: ignore[arg-type]  # it has what is used of a Popen
            wait_until(lambda: _all_follow(server, 1), what=lambda: (shop.root / "server.log").read_text()[-2000:])
            yield server
    finally:
        child.kill()


def start(
    shop: Shop, trap: Path | None = None, *, begun: Callable[[int], object] = lambda _: None, **environ: str
) -> tuple[int | None, dict[str, Any]]:
    """Start a program of the shop's code that tells what it runs and ends; its exit code and what it told.

    `begun` is given its process id while it runs.
    """
    told = shop.root / "told.json"
    told.unlink(missing_ok=True)
    child = Child(_program, shop.root, _settings(shop, environ), told, trap)
    begun(child.pid)
    code = child.wait(30)
    child.kill()
    return code, json.loads(told.read_text()) if told.exists() else {}


def run(work: Callable[..., None], root: Path, environ: dict[str, str], trap: Path, *given: Any) -> int | None:
    """Run a function in a process of its own whose calls are points; gives its exit code."""
    child = Child(_function, root, environ, trap, work, given)
    code = child.wait(60)
    child.kill()
    return code


def _settings(shop: Shop, more: Mapping[str, str]) -> dict[str, str]:
    return shop.environ(**{"HABANERO_STATE": str(shop.root / "state"), **more})


def _enter(root: Path, environ: dict[str, str], trap: Path | None, install: Install = points.install) -> None:
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(root)
    sys.path[:] = [str(root), *(path for path in sys.path if path)]
    with (root / "server.log").open("ab", buffering=0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    if trap is not None:
        bucket = Path(environ["HABANERO_BUCKET"].removeprefix("file://"))
        watched = (bucket, Path(environ["HABANERO_STATE"]), root / "shop")
        install(points.Trap(trap), watched)


def _server(root: Path, environ: dict[str, str], told: Path, trap: Path | None, install: Install) -> None:
    import uvicorn

    _enter(root, environ, trap, install)
    with socket.create_server(("127.0.0.1", 0)) as listening:  # nobody else can come to have this port
        new = told.with_suffix(".new")
        new.write_text(str(listening.getsockname()[1]))
        new.rename(told)
        uvicorn.Server(uvicorn.Config("main:app", log_level="warning")).run(sockets=[listening])


def _program(root: Path, environ: dict[str, str], told: Path, trap: Path | None) -> None:
    _enter(root, environ, trap)
    boot.boot_from_env()
    import main  # type: ignore[import-not-found]  # the shop's
    from shop import pricing  # type: ignore[import-not-found]  # likewise

    main.receiver.ready()
    told.write_text(json.dumps({"price": pricing.price(10), "label": main.label()}))


def _function(root: Path, environ: dict[str, str], trap: Path, work: Callable[..., None], given: tuple[Any]) -> None:
    _enter(root, environ, trap)
    work(*given)

"""A project on a laptop and the same sources on a real server: what the command does, from init on."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from serving import end, free_port, wait_until

from habanero_py.cli import main
from habanero_py.config import Flags, load
from habanero_py.session import Session
from habanero_py.signing import generate
from habanero_receiver.errors import HabaneroError

MAIN = """
from habanero_receiver import Receiver
receiver = Receiver.from_env()
from fastapi import FastAPI
from shop import pricing
app = FastAPI()

@app.get("/price")
def price():
    return {"price": pricing.price(10), "calls": pricing.CALLS}

receiver.mount(app)
"""
PRICING = """
CALLS = []

def price(amount):
    CALLS.append(amount)
    return amount * 2
"""


@dataclass
class Site:
    """A project on a laptop, what was deployed of it, and the server's address."""

    laptop: Path
    deployed: Path
    port: int
    server: Mapping[str, str]

    def command(self, *words: str, code: int = 0) -> list[dict[str, Any]]:
        """Runs the command line with --json; what it said."""
        with redirect_stdout(io.StringIO()) as out:
            ended = main([*words, "--json", "--project", str(self.laptop)])
        assert ended == code, out.getvalue()
        return [json.loads(line) for line in out.getvalue().splitlines()]

    def save(self, text: str) -> None:
        (self.laptop / "shop/pricing.py").write_text(text)

    def price(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"http://127.0.0.1:{self.port}/price", timeout=10).json()
        return found

    def session(self, **flags: Any) -> Session:
        config = load(Flags(project=self.laptop, gate="", **flags), {}, self.laptop)
        return Session(config, lambda event: None)

    @contextmanager
    def serve(self, *, workers: int = 1) -> Iterator[None]:
        """The server, with exactly the lines that init printed, until the end of the block."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HABANERO_", "PYTHON"))}
        settings = dict(self.server) | {"HABANERO_BUCKET": f"file://{self.deployed.parent}/bucket"}
        command = [sys.executable, "-m", "uvicorn", "shop.main:app", "--port", str(self.port), "--log-level", "warning"]
        command += ["--workers", str(workers)]
        with (self.deployed.parent / "server.log").open("a") as log:
            process = subprocess.Popen(
                command, cwd=self.deployed, env=clean | settings, stdout=log, stderr=log, start_new_session=True
            )
        try:
            wait_until(lambda: self._answers(workers), what=lambda: (self.deployed.parent / "server.log").read_text())
            yield
        finally:
            end(process)

    @property
    def bucket(self) -> Path:
        """The folder of the server's bucket."""
        return self.deployed.parent / "bucket"

    @property
    def journal(self) -> Path:
        """The folder of the newest base's journal."""
        folders = [path for path in self.bucket.glob("v1/*/*/*/journal") if path.is_dir()]
        return max(folders, key=lambda path: path.stat().st_ctime_ns)

    def _answers(self, workers: int) -> bool:
        try:
            if "price" not in self.price():
                return False
        except httpx.TransportError:
            return False
        try:
            with self.session() as session:
                machines = session.server.state().machines
        except HabaneroError as error:
            if error.code != "unreachable":  # of several workers one may answer before another listens
                raise
            return False
        return sum(len(machine.workers) for machine in machines) >= workers


def make_site(folder: Path) -> Site:
    """Init on the laptop, the same sources deployed; not served yet. No gate but that prices are below 100."""
    laptop, deployed, port = folder / "laptop", folder / "deployed", free_port()
    (laptop / "shop").mkdir(parents=True)
    for name, text in (("__init__", ""), ("main", MAIN), ("pricing", PRICING)):
        (laptop / f"shop/{name}.py").write_text(text)
    (laptop / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    shutil.copytree(laptop, deployed)
    site = Site(laptop, deployed, port, {})
    gate = f"{sys.executable} -c \"import shop.pricing as p; assert p.price(1) < 100; print('1 passed')\""
    generate(folder / "ana.key", "ana@laptop")
    words = ["--url", f"http://127.0.0.1:{port}/_habanero", "--gate", gate, "--key", str(folder / "ana.key")]
    [said] = site.command("init", *words)
    site.server = said["server"]
    return site

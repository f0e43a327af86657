"""What the demo stands on: the example on a laptop and deployed on a server, the watcher, one person who chats.

Every process started here is ended here, by its id.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

DEADLINE_S = 20.0


class DemoError(Exception):
    """A step of the demo was not so. The argument says what was expected and what was seen."""


def example_folder() -> Path:
    """The chat example: in the repository, or in the installed package."""
    here = Path(__file__).resolve()
    for folder in (here.parents[3] / "examples" / "chat", here.parent / "chat"):
        if (folder / "pyproject.toml").is_file():
            return folder
    raise DemoError("the chat example is not installed; help: run the demo from a checkout, with make demo")


class Stage:
    """One project folder with its server and watcher; use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.project, self.deployed = folder / "laptop" / "chat", folder / "server" / "chat"
        self.bucket = folder / "bucket"
        self.config = folder / "config"
        self.port = _free_port()
        self.log = folder / "server.log"
        self.server_lines: dict[str, str] = {}
        self._server: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[str] | None = None
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        for copy in (self.project, self.deployed):
            shutil.copytree(example_folder(), copy, ignore=ignored)

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self._watcher, self._server):
            if process is not None and process.poll() is None:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    @property
    def url(self) -> str:
        """Where the app listens."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """A laptop's or server's environment: nothing of ours but what is given."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("HABANERO_")}
        search = os.pathsep.join([str(Path(sys.executable).parent), own.get("PATH", os.defpath)])
        return {**own, "PATH": search, "XDG_CONFIG_HOME": str(self.config), "PYTHONUNBUFFERED": "1", **(extra or {})}

    def command(self, *words: str, folder: Path | None = None) -> tuple[int, list[dict[str, Any]], str]:
        """Runs ``habanero-py`` to its end: exit code, events, and what it wrote for a person."""
        done = subprocess.run(
            [sys.executable, "-m", "habanero_py", *words, "--json"],
            cwd=folder or self.project,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def start_server(self) -> int:
        """Starts uvicorn, releases applied before the app is imported. Returns its process id when it answers."""
        words = [sys.executable, "-m", "habanero_py", "run", "--", sys.executable, "-m", "uvicorn", "chat.main:app"]
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(
                [*words, "--port", str(self.port), "--log-level", "warning"],
                cwd=self.deployed,
                env=self.environment({**self.server_lines, "HABANERO_BUCKET": self.bucket.as_uri()}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end and self._server.poll() is None:
            try:
                return int(self.health()["pid"])
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.02)  # a port that is not open yet has no event to wait for
        raise DemoError(f"the server did not start; its log says:\n{self.log.read_text()[-3000:]}")

    def kill_server(self) -> None:
        """Ends the server as a crash would: it gets no chance to save anything."""
        server = self._server
        if server is None:
            raise DemoError("there is no server to kill")
        os.kill(server.pid, signal.SIGKILL)
        server.wait()

    def health(self) -> dict[str, int]:
        """What the app says of its memory."""
        with urllib.request.urlopen(f"{self.url}/health", timeout=DEADLINE_S) as answer:  # noqa: S310  # loopback
            found: dict[str, int] = json.load(answer)
            return found

    def join(self, name: str) -> ClientConnection:
        """Opens a WebSocket to the chat."""
        return connect(f"ws://127.0.0.1:{self.port}/ws/{name}", open_timeout=DEADLINE_S)

    def start_watcher(self) -> None:
        """Starts ``habanero-py watch`` and waits until it watches."""
        self._watcher = subprocess.Popen(
            [sys.executable, "-m", "habanero_py", "watch", "--yes", "--json"],
            cwd=self.project,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, args=(self._watcher,), daemon=True).start()
        self.wait_for("ready")

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._events.put(json.loads(line))
        self._events.put({"event": "ended"})

    def wait_for(self, *wanted: str) -> dict[str, Any]:
        """The next of these events of the watcher; the others are passed over."""
        end = time.monotonic() + DEADLINE_S
        while (left := end - time.monotonic()) > 0:
            try:
                event = self._events.get(timeout=left)
            except queue.Empty:
                break
            if event["event"] in wanted:
                return event
            if event["event"] in ("ended", "refused", "out-of-step"):
                raise DemoError(f"waited for {wanted}, the watcher said {event}")
        raise DemoError(f"the watcher did not say {' or '.join(wanted)} within {DEADLINE_S:.0f} s")

    def save(self, path: str, old: str, new: str) -> float:
        """Saves an edit as editors do: a new file beside, moved over the old one. Returns the time of the save."""
        file = self.project / path
        text = file.read_text()
        if old not in text:
            raise DemoError(f"{path} does not contain {old!r}")
        beside = file.with_suffix(".py.tmp~")
        beside.write_text(text.replace(old, new))
        moment = time.monotonic()
        beside.replace(file)
        return moment


def set_key(project: Path, key: Path) -> None:
    """Makes a project's targets sign with another key."""
    file = project / "pyproject.toml"
    text = file.read_text()
    targets = tomllib.loads(text)["tool"]["habanero"]["targets"]
    for target in targets.values():
        text = text.replace(json.dumps(target["key"]), json.dumps(str(key)))
    file.write_text(text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

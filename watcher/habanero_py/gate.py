"""Runs the gate: the user's test command, which must pass before anything is signed.

No shell, no terminal, a process group of its own. It does not know pytest or any other tool beyond reading a summary
line, and it decides nothing about releases. The rules it upholds: a gate ends within its time limit together with
every process of its group, whatever those do with signals; and nothing that the gate runs can sign, since neither our
own settings nor an ssh-agent are in its environment.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO

from .errors import GateError

LOG_NAME = ".habanero/gate.log"
_CHUNK_BYTES = 65_536
_SUMMARY_CHARS = 100
_SCRUBBED = frozenset({"SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS"})
_SCRUBBED_PREFIX = "HABANERO_"
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What one run of a gate may use."""

    timeout_s: float = 60.0
    grace_s: float = 2.0
    """How long the group may take to end after SIGTERM, before SIGKILL."""
    drain_s: float = 1.0
    """How long output is read on after the end: a daemon of its own session may hold the pipe for ever."""
    max_output_bytes: int = 256 * 1024
    """How much of the end of the output is kept for a person."""
    max_log_bytes: int = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class GateResult:
    """How the gate ended. `exit` is as `subprocess` has it, negative for a signal; `seconds` is wall time."""

    ok: bool
    exit: int
    seconds: float
    output: str
    """The end of what it wrote, standard output and error together."""
    summary: str
    """A few words: "18 passed", "timed out after 60 s"."""
    log: Path
    """Where all of the output lies."""
    timed_out: bool = False
    cancelled: bool = False


class GateRun:
    """One running gate. `wait` from one thread; `cancel` from any."""

    def __init__(
        self,
        command: Sequence[str],
        cwd: Path,
        limits: GateLimits = GateLimits(),
        *,
        environ: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        """Starts it. Raises GateError when there is no such command, or it cannot be run."""
        self._limits = limits
        self._path = log or cwd / LOG_NAME
        environment = scrubbed(os.environ if environ is None else environ)
        program = find_command(command, cwd, environment)
        self._ended: SimpleQueue[str] = SimpleQueue()
        self._tail = _Tail(limits.max_output_bytes)
        self._started = time.monotonic()
        file = _open_log(self._path)
        try:
            self._process = subprocess.Popen(
                [program, *command[1:]],
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            file.close()
            raise _cannot_run(command[0], f"cannot be run: {error.strerror or error}") from error
        self._threads = (
            threading.Thread(target=self._pump, args=(file,), name="gate-output", daemon=True),
            threading.Thread(target=self._reap, name="gate-exit", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def cancel(self) -> None:
        """Ends the gate, since its answer is no longer wanted. `wait` returns a result that says so."""
        self._ended.put("cancelled")

    def wait(self) -> GateResult:
        """Waits for the end of the command or of its time, and leaves no process of its group behind."""
        why = "killed"
        try:
            why = self._first_end()
            if why != "exit":
                self._signal(signal.SIGTERM)
                self._all_gone(self._limits.grace_s)
        finally:
            # After a normal end too: a server that a test forgot would hold its port against the next run.
            self._signal(signal.SIGKILL)
            self._all_gone(self._limits.drain_s)
        return self._result(why)

    def _first_end(self) -> str:
        try:
            return self._ended.get(timeout=self._limits.timeout_s)
        except Empty:
            return "timeout"

    def _all_gone(self, seconds: float) -> None:
        """Waits until the command has exited and nobody holds its output, or the time is over."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _signal(self, number: signal.Signals) -> None:
        # The leader may be reaped already. The kernel gives its number to nobody while a member of the group lives,
        # and with none alive there is no such group; PermissionError is macOS's word for a group of zombies.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _reap(self) -> None:
        self._process.wait()
        self._ended.put("exit")

    def _pump(self, log: IO[bytes]) -> None:
        """Reads to the end whatever comes, so that a loud gate is never stopped by a full pipe."""
        left = self._limits.max_log_bytes
        stream = self._process.stdout
        assert stream is not None  # for the type checker: stdout=PIPE above
        with log, stream:
            while chunk := stream.read(_CHUNK_BYTES):
                self._tail.add(chunk)
                if left > 0:
                    with contextlib.suppress(OSError):  # a full disk loses the log, not the gate
                        log.write(chunk[:left])
                    left -= len(chunk)

    def _result(self, why: str) -> GateResult:
        status = self._process.poll()
        exit_status = -signal.SIGKILL if status is None else status
        ok = why == "exit" and exit_status == 0
        output = self._tail.text()
        if why == "timeout":
            summary = f"timed out after {self._limits.timeout_s:g} s"
        elif why == "cancelled":
            summary = "cancelled"
        else:
            summary = summarise(output, exit_status)
        return GateResult(
            ok=ok,
            exit=exit_status,
            seconds=time.monotonic() - self._started,
            output=output,
            summary=summary,
            log=self._path,
            timed_out=why == "timeout",
            cancelled=why == "cancelled",
        )


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without our own settings and without the way to an agent that signs."""
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(_SCRUBBED_PREFIX) and name not in _SCRUBBED
    }


def find_command(command: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> str:
    """The program to run: from PATH, or beside the Python that runs us when its environment is not activated."""
    if not command:
        raise GateError("gate-not-found", "the gate is an empty list", help='gate = ["pytest", "-q"]')
    name = command[0]
    if os.sep in name:
        path = cwd / name
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
        raise _cannot_run(name, "is not a program" if path.exists() else "does not exist")
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=environ.get("PATH", os.defpath)) or shutil.which(name, path=beside)
    if found is None:
        raise _cannot_run(name, f"is neither on PATH nor in {beside}")
    return str(Path(found).absolute())


def summarise(output: str, exit_status: int) -> str:
    """A few words on how it went: the last line of the output without its decoration, or the exit status."""
    for line in reversed(output.splitlines()):
        words = re.sub(r"\s+in \d[\d.]*\s?s\b.*", "", line.strip().strip("=").strip())
        if words:
            return words if len(words) <= _SUMMARY_CHARS else words[: _SUMMARY_CHARS - 1] + "…"
    if exit_status < 0:
        with contextlib.suppress(ValueError):
            return f"ended by {signal.Signals(-exit_status).name}"
    return f"exit {exit_status}"


def _cannot_run(name: str, why: str) -> GateError:
    return GateError(
        "gate-not-found",
        f"the gate's command {shlex.quote(name)} {why}; nothing was tested, so nothing was signed",
        subject=name,
        help='name it as a list of words in pyproject.toml: [tool.habanero] gate = ["pytest", "-q"]',
    )


def _open_log(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb", buffering=0)
    except OSError as error:
        raise GateError(
            "gate-log",
            f"the gate's output cannot be written to {path}: {error.strerror or error}; nothing was run",
            subject=str(path),
            help="make the folder writable for you",
        ) from error


class _Tail:
    """The end of a stream of bytes, at most so many. Written by one thread, read by another."""

    def __init__(self, max_bytes: int) -> None:
        self._max, self._size = max_bytes, 0
        self._chunks: deque[bytes] = deque()
        self._chunks_lock = threading.Lock()

    def add(self, chunk: bytes) -> None:
        with self._chunks_lock:
            self._chunks.append(chunk)
            self._size += len(chunk)
            while self._size - len(self._chunks[0]) >= self._max:
                self._size -= len(self._chunks.popleft())

    def text(self) -> str:
        """What is kept, as text without terminal controls; whole lines when its start was cut off."""
        with self._chunks_lock:
            data = b"".join(self._chunks)
        if len(data) > self._max:
            data = data[-self._max :]
            data = b"...\n" + data[data.find(b"\n") + 1 :]
        return _ANSI.sub("", data.decode("utf-8", "replace")).replace("\r\n", "\n")

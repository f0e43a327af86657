"""The gate: what it runs, what it may not see, and that nothing of it is left behind."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from habanero_py.errors import GateError
from habanero_py.gate import GateLimits, GateRun, find_command, scrubbed, summarise

QUICK = GateLimits(timeout_s=30, grace_s=0.3, drain_s=5)
DEADLINE_S = 20

# Ignores SIGTERM, and so does its child. The child says hello over a socket, which stays open while it lives.
STUBBORN = """
import os, signal, socket, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    alive = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    alive.sendall(b"x")
    time.sleep(600)
{parent}
"""


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-c", code, *arguments]


class Witness:
    """Knows whether the process that connected to it lives: its end of the connection closes with it."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(DEADLINE_S)
        self.port = str(self._server.getsockname()[1])
        self._peer: socket.socket | None = None

    def meet(self) -> None:
        self._peer, _ = self._server.accept()
        self._peer.settimeout(DEADLINE_S)
        assert self._peer.recv(1) == b"x"

    def wait_for_its_end(self) -> None:
        assert self._peer is not None
        assert self._peer.recv(1) == b""

    def close(self) -> None:
        self._server.close()
        if self._peer is not None:
            self._peer.close()


@pytest.fixture
def witness() -> object:
    witness = Witness()
    yield witness
    witness.close()


def test_a_gate_that_passes(tmp_path: Path) -> None:
    """Exit 0 passes; the last line of the output is its summary; all of it is in the log."""
    result = GateRun(python("print('collected 2'); print('== 2 passed in 0.62s ==')"), tmp_path).wait()
    assert (result.ok, result.exit, result.summary) == (True, 0, "2 passed")
    assert result.output == "collected 2\n== 2 passed in 0.62s ==\n"
    assert result.log == tmp_path / ".habanero/gate.log"
    assert result.log.read_text() == result.output
    assert 0 < result.seconds < DEADLINE_S


def test_a_gate_that_fails(tmp_path: Path) -> None:
    """Any other exit fails; standard error is part of the output; an end by a signal is named."""
    failed = GateRun(python("import sys; print('assert 90 == 80', file=sys.stderr); sys.exit(3)"), tmp_path).wait()
    assert (failed.ok, failed.exit, failed.output) == (False, 3, "assert 90 == 80\n")
    killed = GateRun(python("import os; os.kill(os.getpid(), 6)"), tmp_path).wait()
    assert (killed.ok, killed.exit, killed.summary) == (False, -6, "ended by SIGABRT")


def test_nothing_that_can_sign_reaches_the_gate(tmp_path: Path) -> None:
    """Our settings and the way to an ssh-agent are gone, the rest is as it was."""
    environ = {
        "HOME": "/h",
        "HABANERO_KEY": "~/k",
        "HABANERO_PASSPHRASE": "p",
        "SSH_AUTH_SOCK": "/s",
        "SSH_AGENT_PID": "1",
    }
    code = "import os; print(sorted(k for k in os.environ if not k.startswith('LC_')))"
    assert GateRun(python(code), tmp_path, environ=environ).wait().output == "['HOME']\n"
    assert scrubbed(environ) == {"HOME": "/h"}


def test_the_gate_has_no_terminal_and_no_input(tmp_path: Path) -> None:
    """A test that asks a question fails at once instead of waiting for an answer."""
    assert GateRun(python("input()"), tmp_path).wait().summary == "EOFError: EOF when reading a line"
    assert GateRun(python("open('/dev/tty')"), tmp_path).wait().exit == 1


def test_the_gate_runs_in_the_project(tmp_path: Path) -> None:
    """Its working directory is the project, and a script of the project can be the gate."""
    script = tmp_path / "check.sh"
    script.write_text("#!/bin/sh\npwd\n")
    script.chmod(0o755)
    assert GateRun(["./check.sh"], tmp_path).wait().output == f"{tmp_path.resolve()}\n"


@pytest.mark.timeout(60)
def test_at_the_time_limit_the_whole_group_ends(tmp_path: Path, witness: Witness) -> None:
    """Parent and grandchild ignore SIGTERM; both are gone when the result is there."""
    command = python(STUBBORN.format(parent="print('working', flush=True); time.sleep(600)"), witness.port)
    limits = GateLimits(timeout_s=1.5, grace_s=0.2, drain_s=5)
    run = GateRun(command, tmp_path, limits)
    witness.meet()
    result = run.wait()
    witness.wait_for_its_end()
    assert (result.ok, result.timed_out, result.summary) == (False, True, "timed out after 1.5 s")
    assert result.exit < 0
    assert result.output == "working\n"


def test_a_gate_may_clean_up_when_its_time_is_over(tmp_path: Path) -> None:
    """SIGTERM comes first, and its answer is still read."""
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('cleaned up', flush=True), sys.exit(0)))\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    result = GateRun(python(code), tmp_path, GateLimits(timeout_s=1, grace_s=DEADLINE_S)).wait()
    assert result.output == "ready\ncleaned up\n"
    assert not result.ok  # whatever it says after its time was over


def test_what_a_passing_gate_leaves_running_is_ended(tmp_path: Path, witness: Witness) -> None:
    """A forgotten server would hold its port against the next run."""
    run = GateRun(python(STUBBORN.format(parent="sys.stdin.read()"), witness.port), tmp_path, QUICK)
    witness.meet()
    assert run.wait().ok
    witness.wait_for_its_end()


def test_a_daemon_of_its_own_session_does_not_hold_the_gate(tmp_path: Path, witness: Witness) -> None:
    """It keeps the pipe, so the output never ends; the result comes all the same."""
    code = STUBBORN.replace("    alive =", "    os.setsid()\n    alive =").replace("time.sleep(600)", "alive.recv(1)")
    started = time.monotonic()
    run = GateRun(python(code.format(parent=""), witness.port), tmp_path, GateLimits(drain_s=0.2))
    witness.meet()
    assert run.wait().ok
    assert time.monotonic() - started < DEADLINE_S


def test_a_gate_can_be_cancelled(tmp_path: Path, witness: Witness) -> None:
    """From another thread, because a newer save makes its answer worthless."""
    run = GateRun(python(STUBBORN.format(parent="time.sleep(600)"), witness.port), tmp_path, QUICK)
    witness.meet()
    threading.Thread(target=run.cancel).start()
    result = run.wait()
    witness.wait_for_its_end()
    assert (result.ok, result.cancelled, result.summary) == (False, True, "cancelled")


def test_a_loud_gate_is_neither_stopped_nor_kept_whole(tmp_path: Path) -> None:
    """Only the end is kept for a person and only so much is logged, from its first line on."""
    code = "import sys\nfor n in range(200_000): sys.stdout.write(f'line {n}\\n')\n"
    limits = GateLimits(max_output_bytes=1000, max_log_bytes=5000)
    result = GateRun(python(code), tmp_path, limits).wait()
    assert result.ok
    assert len(result.output) <= 1010
    lines = result.output.splitlines()
    assert lines[0] == "..."
    assert lines[1].startswith("line 199")
    assert lines[-1] == "line 199999"
    assert result.log.stat().st_size == 5000
    assert result.log.read_text().startswith("line 0\n")


def test_output_is_text_without_controls(tmp_path: Path) -> None:
    """Colours, cursor moves and bytes that are no text do not reach the terminal."""
    code = r"import sys; sys.stdout.buffer.write(b'\x1b[31mred\x1b[0m \x1b]0;title\x07\xff ok\r\n')"
    assert GateRun(python(code), tmp_path).wait().output == "red � ok\n"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ([], "empty list"),
        (["no-such-command-here"], "neither on PATH nor in"),
        (["./missing"], "does not exist"),
        (["./plain.txt"], "is not a program"),
        (["./broken"], "cannot be run"),
    ],
)
def test_a_command_that_cannot_run_is_named_with_help(tmp_path: Path, command: list[str], why: str) -> None:
    """Nothing was tested, so nothing is signed; the message says where to set it."""
    (tmp_path / "plain.txt").touch()
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    with pytest.raises(GateError, match=why) as caught:
        GateRun(command, tmp_path).wait()
    assert caught.value.code == "gate-not-found"
    assert "gate =" in caught.value.help


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Before the command runs, not after."""
    (tmp_path / ".habanero").touch()
    with pytest.raises(GateError, match="nothing was run") as caught:
        GateRun(python("print(1)"), tmp_path).wait()
    assert caught.value.code == "gate-log"


def test_commands_are_found_beside_our_own_python(tmp_path: Path) -> None:
    """`pytest` works without activating the environment that we are installed in; PATH has the first word."""
    assert find_command(["pytest"], tmp_path, {"PATH": ""}) == str(Path(sys.executable).parent / "pytest")
    mine = tmp_path / "pytest"
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    assert find_command(["pytest"], tmp_path, {"PATH": str(tmp_path)}) == str(mine)


@pytest.mark.parametrize(
    ("output", "status", "summary"),
    [
        ("....\n18 passed in 0.62s\n", 0, "18 passed"),
        ("==== 1 failed, 17 passed in 61.02s (0:01:01) ====\n\n", 1, "1 failed, 17 passed"),
        ("no tests ran in 0.01s", 5, "no tests ran"),
        ("OK\n", 0, "OK"),
        ("", 4, "exit 4"),
        ("  \n", -9, "ended by SIGKILL"),
        ("x" * 300, 1, "x" * 99 + "…"),
    ],
)
def test_the_summary_is_a_few_words(output: str, status: int, summary: str) -> None:
    """Pytest's last line without decoration and time, any tool's last line, or the exit status."""
    assert summarise(output, status) == summary


def test_no_thread_or_descriptor_is_left(tmp_path: Path) -> None:
    """A watch of a day runs thousands of gates."""
    GateRun(python(""), tmp_path).wait()
    before = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(3):
        GateRun(python("print(1)"), tmp_path).wait()
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before


# Says which program its process is, and what it has open besides its standard streams.
SELF = """
import os
print(open("/proc/self/cmdline").read().split(chr(0))[-2])
print([n for n in sorted(map(int, os.listdir("/proc/self/fd"))) if n > 2 and os.path.exists(f"/proc/self/fd/{n}")])
"""


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system does not show what a process is made of")
def test_the_gate_is_a_program_of_its_own(tmp_path: Path) -> None:
    """Executed, not forked: an opened key in its parent's memory, or a connection to an agent, cannot reach it."""
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        result = GateRun(python(SELF, "the-gate-itself"), tmp_path, QUICK).wait()
    assert result.ok, result.output
    assert result.output.splitlines() == ["the-gate-itself", "[]"]

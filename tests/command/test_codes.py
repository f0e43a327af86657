"""Error codes and exit codes: one meaning each."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import habanero_py
from habanero_py.client import RemoteError
from habanero_py.codes import COMMAND_CODES, exit_code
from habanero_py.reporting import guarded
from habanero_receiver.errors import CODES, ConfigError, HabaneroError

SOURCES = sorted(Path(habanero_py.__file__).parent.rglob("*.py"))


def raised(file: Path) -> set[str]:
    """The codes that a file gives to an error: the first argument of whatever is named like one."""
    found = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            first = node.args[0]
            if node.func.id.endswith("Error") and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
    return {code for code in found if re.fullmatch(r"[a-z0-9-]+", code)}


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.name)
def test_every_code_that_is_raised_is_known(file: Path) -> None:
    """An exit code that nobody chose would be that of a bug."""
    assert raised(file) <= COMMAND_CODES.keys() | CODES.keys()


def test_no_code_has_two_meanings() -> None:
    """The two tables do not overlap."""
    assert not COMMAND_CODES.keys() & CODES.keys()


@pytest.mark.parametrize(("status", "code"), [(401, 7), (403, 7), (409, 4), (422, 4), (503, 8), (502, 8), (500, 4)])
def test_a_code_of_a_newer_server_gets_the_exit_code_of_its_kind(status: int, code: int) -> None:
    """By the HTTP status."""
    assert exit_code(RemoteError(status, {"code": "never-heard-of"})) == code


def test_errors_become_events_and_exit_codes() -> None:
    """With what is known to run; after a lost connection nothing is claimed."""
    events = []

    def fail(error: BaseException) -> int:
        def action() -> int:
            raise error

        return guarded(action, events.append, lambda: 41)

    assert fail(ConfigError("bad-setting", "x", subject="gate", help="y")) == 2
    assert fail(HabaneroError("unreachable", "gone")) == 8
    assert fail(RemoteError(409, {"code": "not-next", "detail": "late", "running": 43})) == 4
    assert fail(KeyboardInterrupt()) == 130
    first, second, third = events
    assert (first.code, first.running, first.by_server) == ("bad-setting", 41, False)
    assert second.running is None
    assert (third.running, third.by_server) == (43, True)


def test_a_bug_shows_no_stack_and_keeps_it() -> None:
    """Exit code 1; the traceback lies in the file that the help names."""
    events = []
    assert guarded(lambda: 1 // 0, events.append, lambda: None) == 1
    [bug] = events
    assert bug.code == "internal"
    assert "Traceback" not in bug.message
    path = Path(bug.help.rpartition(" ")[2])
    assert "ZeroDivisionError" in path.read_text()
    path.unlink()

"""Errors: one table of codes, and all who use it agree with it."""

from __future__ import annotations

import ast
import copy
import pickle
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from habanero_py.codes import COMMAND_CODES
from habanero_receiver import errors
from habanero_receiver.errors import CODES, NOT_SENT, CodeInfo, ConfigError, HabaneroError, SwapError

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [file for top in ("receiver", "watcher") for file in sorted((ROOT / top).rglob("*.py"))]
TABLES = {"errors.py", "codes.py"}
ALL: Mapping[str, CodeInfo] = {**CODES, **COMMAND_CODES}


@cache
def trees() -> list[tuple[Path, ast.Module]]:
    return [(file, ast.parse(file.read_bytes())) for file in SOURCES]


def our_errors() -> set[str]:
    """The names of every class, on either side, that is an error with a code."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and "swap" not in _.parts
    }
    found = {"HabaneroError"}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


def raised() -> Iterator[tuple[str, str]]:
    """(code, place) of every error of ours that is made with a literal code."""
    ours = our_errors()
    for file, tree in trees():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            code = node.args[0]
            if name in ours and isinstance(code, ast.Constant) and isinstance(code.value, str):
                yield code.value, f"{file.relative_to(ROOT)}:{node.lineno}"


def documented() -> dict[str, tuple[str, str]]:
    """Code -> (status, exit) of the rows of docs/errors.md."""
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| ([0-9-]+) \| ([0-9]) \| [^|]+ \| [^|]+ \|$", text, re.MULTILINE)
    assert len(rows) == len({code for code, _, _ in rows}) == text.count("\n| `")
    return {code: (status, exit_code) for code, status, exit_code in rows}


def test_every_code_that_is_raised_is_in_the_table() -> None:
    """A code without status and exit code would reach users as a bug."""
    unknown = [(code, place) for code, place in raised() if code not in ALL]
    assert unknown == []


def test_every_error_says_what_to_do() -> None:
    """Where an error is made without help, its code has some."""
    ours, silent = our_errors(), []
    for file, tree in trees():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                continue
            name, code = getattr(node.func, "id", getattr(node.func, "attr", "")), node.args[0].value
            helped = any(keyword.arg in ("help", None) for keyword in node.keywords)
            if name in ours and code in ALL and not helped and not ALL[code].help:
                silent.append(f"{file.relative_to(ROOT)}:{node.lineno} {code}")
    assert silent == []


def test_help_of_its_own_goes_before_the_codes() -> None:
    """Who raises an error may know better than the table."""
    assert ConfigError("threshold", "x", help="mine").help == "mine"
    assert ConfigError("threshold", "x").help == ALL["threshold"].help != ""


def test_every_code_in_the_table_is_used() -> None:
    """The table promises nothing that no longer happens."""
    used = {
        node.value
        for file, tree in trees()
        if file.name not in TABLES
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    used |= {code for code, _ in raised()}
    assert set(ALL) - used == set()


def test_the_docs_show_every_code_as_it_is() -> None:
    """docs/errors.md has one row for each code, with the same status and exit code, and no other rows."""
    expected = {
        code: ("-" if info.status == NOT_SENT else str(info.status), str(info.exit)) for code, info in ALL.items()
    }
    assert documented() == expected


def test_codes_and_titles_are_well_formed() -> None:
    """Codes are kebab-case, titles short phrases, numbers in the range of what they are."""
    for code, info in ALL.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
        assert re.fullmatch(r"\S.{3,60}[^.\s]", info.title), code
        assert info.status == NOT_SENT or 400 <= info.status <= 599
        assert errors.BUG <= info.exit <= errors.UNREACHABLE


def test_an_error_tells_what_why_and_what_to_do() -> None:
    """Its text is the message alone; the rest is beside it."""
    error = SwapError("swap-refused", "shop.cart: no", subject="shop.cart", help="restart", details={"line": 3})
    assert (str(error), error.help, error.details) == ("shop.cart: no", "restart", {"line": 3})
    assert error.problem(16) == {
        "type": "urn:habanero-py:error:swap-refused",
        "title": "Live process cannot take the change",
        "status": 422,
        "code": "swap-refused",
        "detail": "shop.cart: no",
        "subject": "shop.cart",
        "help": "restart",
        "running": 16,
        "details": {"line": 3},
    }


@pytest.mark.parametrize("code", ["key-line", "a-code-of-tomorrow"])
def test_what_is_not_meant_for_http_is_an_internal_error_there(code: str) -> None:
    """An error without a status never becomes an answer that looks like the sender's fault."""
    assert ConfigError(code, "x").problem(None)["status"] == 500


def test_errors_survive_process_borders() -> None:
    """A pool of workers can hand them over; nothing is lost."""
    error = SwapError("dirty", "x", subject="s", help="h", details={"a": [1]})
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is SwapError
        assert isinstance(other, HabaneroError)
        assert (other.problem(1), str(other)) == (error.problem(1), "x")

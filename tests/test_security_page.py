"""SECURITY.md names a test for each promise: every one of them exists, and the page stays short enough to be read."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[^`]+)`", PAGE)))
PROMISES = re.search(r"## Promises\n(.*?)\n## ", PAGE, re.DOTALL)


@pytest.mark.parametrize("name", NAMED)
def test_a_named_test_exists(name: str) -> None:
    """A file, and it has tests in it."""
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    assert [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def test_every_promise_names_a_test() -> None:
    """No row of the table is a word alone."""
    assert PROMISES is not None
    rows = [row for row in PROMISES[1].splitlines() if row.startswith("| ")][2:]
    assert len(rows) > 20
    assert [row for row in rows if "`tests/" not in row] == []


def test_every_file_of_attacks_is_named() -> None:
    """Who adds a file of attacks says on the page what it holds."""
    there = {f"tests/hostile/{file.name}" for file in (ROOT / "tests" / "hostile").glob("test_*.py")}
    assert there <= set(NAMED)


def test_settings_and_links_are_real() -> None:
    """Each setting on the page is read somewhere, and each page that is linked to is there."""
    sources = "".join(file.read_text() for file in (ROOT / "receiver").rglob("*.py"))
    for setting in re.findall(r"HABANERO_[A-Z_]+[A-Z]", PAGE):
        assert f'"{setting}"' in sources, setting
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", PAGE):
        assert (ROOT / link).exists(), link


def test_the_page_is_short() -> None:
    """Three pages of text at most."""
    assert len(PAGE.split()) < 2_200

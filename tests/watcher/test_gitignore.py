"""Ignored files, as git itself answers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from habanero_py.gitignore import GitIgnore


@pytest.fixture
def repository(root: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(root)], check=True, capture_output=True)
    (root / ".gitignore").write_text("_version.py\n")
    return root


def test_git_decides_what_is_ignored(repository: Path) -> None:
    """By absolute path or below the root, and for files that do not exist."""
    absolute = str(repository / "src/shop/_version.py")
    asked = [absolute, "src/shop/_version.py", "src/shop/cart.py"]
    assert GitIgnore(repository).among(asked) == {absolute, "src/shop/_version.py"}


def test_answers_are_kept_until_told_otherwise(repository: Path) -> None:
    """A save asks git nothing new; a changed .gitignore does."""
    ignore = GitIgnore(repository)
    assert not ignore.among(["src/shop/cart.py"])
    (repository / ".gitignore").write_text("cart.py\n")
    assert not ignore.among(["src/shop/cart.py"])
    ignore.forget()
    assert ignore.among(["src/shop/cart.py"])


def test_without_a_repository_nothing_is_ignored(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No repository, and no git at all: what is importable is the app."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(root.parent))
    (root / ".gitignore").write_text("*\n")
    assert not GitIgnore(root).among(["src/shop/cart.py"])
    monkeypatch.setenv("PATH", "")
    assert not GitIgnore(root).among(["src/shop/cart.py"])

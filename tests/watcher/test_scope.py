"""Which paths wake the watcher."""

from __future__ import annotations

from pathlib import Path

import pytest

from habanero_py.project import Project
from habanero_py.scope import Scope


@pytest.fixture
def scope(root: Path) -> Scope:
    scope = Scope(Project.find(root, ["src/shop"]))
    scope.folders()
    return scope


@pytest.mark.parametrize(
    ("path", "concerned"),
    [
        ("src/shop/cart.py", True),
        ("src/shop/new.py", True),
        ("src/shop/api", True),
        ("src/shop", True),
        ("tests/test_new.py", True),
        ("pyproject.toml", True),
        (".gitignore", True),
        ("src/shop/.gitignore", True),
        ("src", False),
        ("src/other.py", False),
        ("src/shop/4913", False),
        ("src/shop/cart.py~", False),
        ("src/shop/.cart.py.swp", False),
        ("src/shop/page.html", False),
        ("src/shop/__pycache__", False),
        ("src/shop/__pycache__/cart.cpython-313.pyc", False),
        ("README.md", False),
        (".venv/lib/x.py", False),
    ],
)
def test_only_what_can_change_a_module_or_the_gate_counts(root: Path, scope: Scope, path: str, concerned: bool) -> None:
    """Modules, their folders, tests and two settings files; no backups, templates or caches."""
    assert scope.concerns(str(root / path)) is concerned


def test_a_new_folder_counts_and_a_new_template_does_not(root: Path, scope: Scope) -> None:
    """Modules may come in a new folder; a file without a suffix is no folder."""
    (root / "src/shop/billing").mkdir()
    (root / "src/shop/Makefile").touch()
    assert scope.concerns(str(root / "src/shop/billing"))
    assert not scope.concerns(str(root / "src/shop/Makefile"))


def test_others_are_tests_and_settings(root: Path, scope: Scope) -> None:
    """What can turn a gate without being a module is told apart, by paths that a person knows."""
    paths = [str(root / p) for p in ("src/shop/cart.py", "tests/test_cart.py", "pyproject.toml")]
    assert scope.others(paths) == ("pyproject.toml", "tests/test_cart.py")

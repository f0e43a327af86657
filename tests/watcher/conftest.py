"""A small project to watch, and a file system whose events come from a script."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted_changes import ScriptedChanges

from habanero_py.project import Project
from habanero_py.snapshot import Sources


@pytest.fixture
def changes() -> ScriptedChanges:
    return ScriptedChanges()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one package of a few modules, and tests."""
    root = tmp_path.resolve() / "project"
    for path, text in {
        "pyproject.toml": "",
        "src/shop/__init__.py": "",
        "src/shop/cart.py": "def total():\n    return 1\n",
        "src/shop/pricing.py": "RATE = 2\n",
        "src/shop/api/__init__.py": "",
        "src/shop/api/routes.py": "from shop import cart\n",
        "tests/test_cart.py": "def test():\n    pass\n",
    }.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


@pytest.fixture
def sources(root: Path) -> Sources:
    return Sources(Project.find(root, ["src/shop"]))

"""What the tests of the fleet share."""

from __future__ import annotations

from pathlib import Path

import pytest
from nodes import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A node at its base, with nothing in its journal."""
    return World(tmp_path / "srv")

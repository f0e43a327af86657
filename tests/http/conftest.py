"""What the tests of the HTTP side share."""

from __future__ import annotations

from pathlib import Path

import pytest
from asking import Endpoints
from nodes import World


@pytest.fixture
def endpoints(tmp_path: Path) -> Endpoints:
    """The endpoints of a node at its base."""
    return Endpoints(World(tmp_path / "srv"))

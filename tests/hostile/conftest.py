"""The deployment that all hostile pushes of the table are made for, and a real server in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attacked import Attacked, attacked


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """A deployment at release 16, listening; each test of the file begins with a policy and a throttle of its own."""
    folder: Path = tmp_path_factory.mktemp("attacked")
    with attacked(folder) as deployment:
        yield deployment

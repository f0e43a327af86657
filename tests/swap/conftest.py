"""A live app for each test, gone when the test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts an app from sources by module name, in the place of the one before; a package's name ends in ``/``."""
    apps: list[LiveApp] = []

    def begin(sources: dict[str, str]) -> LiveApp:
        while apps:
            apps.pop().close()
        apps.append(LiveApp(tmp_path, sources))
        return apps[-1]

    yield begin
    for app in apps:
        app.close()

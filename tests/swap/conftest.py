"""A live app for each test, gone when the test ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts an app from sources by module name, in the place of the one before; a package's name ends in ``/``."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # it would be taken for that of the next, made in its second
    apps: list[LiveApp] = []

    def begin(sources: dict[str, str]) -> LiveApp:
        while apps:
            apps.pop().close()
        apps.append(LiveApp(tmp_path, sources))
        return apps[-1]

    yield begin
    for app in apps:
        app.close()

"""The facade: off without keys and then free, light to import, mounted once."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nodes import World
from serving import Shop

from habanero_receiver import Receiver
from habanero_receiver.config import ReceiverConfig


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test sees a process that has asked for no receiver yet."""
    monkeypatch.setattr(Receiver, "_of_this_process", None)
    yield


class FakeApp:
    """Notes what is added to it, as Starlette does."""

    def __init__(self) -> None:
        self.added: list[Any] = []

    def add_middleware(self, kind: Any, **options: Any) -> None:
        self.added.append((kind, options))


def test_without_keys_it_is_off_says_so_once_and_adds_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """An app in development pays nothing for the three lines."""
    caplog.set_level(logging.INFO, logger="habanero")
    app = FakeApp()
    for _ in range(3):
        receiver = Receiver.from_env({})
        assert receiver.mount(app) is app
        assert receiver.wrap(receiver.mount) is not None
        receiver.start()
        receiver.stop()
    assert not receiver.on and app.added == []
    assert caplog.text.count("receiver is off") == 1


def test_an_app_gets_one_middleware_however_often_it_is_mounted(tmp_path: Path) -> None:
    """The statement that mounts may be run again by a swap of the entry module."""
    shop = Shop(tmp_path / "s")
    receiver = Receiver(ReceiverConfig.from_env(shop.environ(), shop.root))
    app = FakeApp()
    receiver.mount(app)
    receiver.mount(app)
    assert len(app.added) == 1 and app.added[0][1] == {"receiver": receiver}


def test_another_kind_of_app_is_told_what_to_do(tmp_path: Path) -> None:
    """What cannot be mounted can be wrapped, and the error says so."""
    shop = Shop(tmp_path / "s")
    receiver = Receiver(ReceiverConfig.from_env(shop.environ(), shop.root))
    with pytest.raises(TypeError, match=r"receiver\.wrap\(app\)"):
        receiver.mount(object())


def test_a_process_in_neither_state_says_so_to_a_health_check(tmp_path: Path) -> None:
    """Healthy off, and before the start; not after a change that could not be undone."""
    shop = Shop(tmp_path / "s")
    receiver = Receiver(ReceiverConfig.from_env(shop.environ(), shop.root))
    assert Receiver(None).healthy and receiver.healthy
    receiver._node = World(tmp_path / "w").node
    assert receiver.healthy
    receiver._node.dirty = True
    assert not receiver.healthy


def imported(shop: Shop, code: str, **environ: str) -> set[str]:
    """Run code in a fresh interpreter, and give the modules that it then has."""
    probe = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-c", probe]
    done = subprocess.run(command, cwd=shop.root, env=environ, capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_without_keys_the_import_is_next_to_nothing(tmp_path: Path) -> None:
    """No framework, no event loop, no cryptography, not even the reader of settings."""
    shop = Shop(tmp_path / "s")
    environ = {name: value for name, value in shop.environ().items() if not name.startswith("HABANERO_")}
    code = "from habanero_receiver import Receiver\nReceiver.from_env()"
    loaded = imported(shop, code, **environ)
    assert not {"fastapi", "starlette", "asyncio", "cryptography", "habanero_receiver.config"} & loaded


def test_with_keys_boot_imports_no_framework(tmp_path: Path) -> None:
    """FastAPI costs a quarter of a second: it is not on the way of boot, nor of mounting.

    Nor is what verifies signatures, while nothing was signed.
    """
    shop = Shop(tmp_path / "s")
    code = (
        "from habanero_receiver import Receiver\n"
        "class App:\n    def add_middleware(self, *a, **k): pass\n"
        "Receiver.from_env().mount(App())"
    )
    loaded = imported(shop, code, **shop.environ())
    assert "habanero_receiver.overlay" in loaded
    assert not {"fastapi", "starlette", "httpx", "cryptography", "habanero_receiver.swap.engine"} & loaded


def test_settings_that_cannot_be_used_stop_the_import(tmp_path: Path) -> None:
    """A program that was meant to be protected by its settings does not run without them."""
    shop = Shop(tmp_path / "s")
    done = subprocess.run(
        [sys.executable, "-c", "import habanero_receiver"],
        cwd=shop.root,
        env=shop.environ(HABANERO_TARGET="nonsense"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0 and "HABANERO_TARGET" in done.stderr

"""A project on a laptop, a key, and a receiver that takes its pushes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fake_receiver import URL, FakeReceiver

from habanero_py import events as e
from habanero_py.config import Flags, load
from habanero_py.session import Session
from habanero_py.signing import generate
from habanero_receiver.journal.base import Base
from habanero_receiver.release.keys import parse_allowed_signers
from habanero_receiver.release.statement import PythonTag
from habanero_receiver.trust import TrustPolicy

TARGET = "shop/production#0011"
SOURCES = {
    "shop/__init__.py": "",
    "shop/pricing.py": "def price():\n    return 1\n",
    "shop/cart.py": "def total():\n    return 1\n",
}


@dataclass
class Laptop:
    """One developer: a tree, a key, and sessions that remember what they said."""

    root: Path
    key: Path
    receiver: FakeReceiver
    events: list[e.Event] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def session(self, **flags: object) -> Session:
        """Opens one; closed at the end of the test."""
        words = {"gate": ""} | flags
        config = load(Flags(project=self.root, **words), {}, self.root)  # type: ignore[arg-type]
        session = Session(config, self.events.append, transport=self.receiver.transport)
        self.sessions.append(session)
        return session

    def said(self, kind: type[e.Event]) -> list[e.Event]:
        return [event for event in self.events if isinstance(event, kind)]


def write_project(root: Path, key: Path) -> None:
    """The sources, the settings and a commit of them."""
    for path, text in SOURCES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "pyproject.toml").write_text(
        "[tool.habanero]\n"
        'watch = ["shop"]\n'
        "[tool.habanero.targets.production]\n"
        f'url = "{URL}"\nkey = "{key}"\ntarget = "{TARGET}"\n'
    )


def git(root: Path, *words: str) -> str:
    """One git command, with an author and without this machine's settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(root), *words],
        env=clean | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def receiver(tmp_path: Path) -> FakeReceiver:
    """The sources as deployed, and no trusted key yet."""
    deployed = tmp_path / "deployed"
    for path, text in SOURCES.items():
        (deployed / path).parent.mkdir(parents=True, exist_ok=True)
        (deployed / path).write_text(text)
    policy = TrustPolicy(keys=(), target=TARGET, allowed_modules=frozenset({"shop"}), python=PythonTag.current())
    return FakeReceiver(Base.scan(deployed, ["shop"]), policy)


@pytest.fixture
def join(tmp_path: Path, receiver: FakeReceiver) -> Iterator[Callable[[str], Laptop]]:
    """Gives a developer of that name a laptop, and the server their key."""
    laptops = []

    def make(name: str) -> Laptop:
        root, key = tmp_path / name, tmp_path / f"{name}.key"
        root.mkdir()
        public = generate(key, f"{name}@laptop")
        line = f"{name} {public.openssh()}"
        object.__setattr__(receiver.policy, "keys", (*receiver.policy.keys, *parse_allowed_signers(line)))
        write_project(root, key)
        laptops.append(Laptop(root, key, receiver))
        return laptops[-1]

    yield make
    for laptop in laptops:
        for session in laptop.sessions:
            session.close()


@pytest.fixture
def ana(join: Callable[[str], Laptop]) -> Laptop:
    """The first developer."""
    return join("ana")


@pytest.fixture
def run_git() -> Callable[..., str]:
    """One git command in a folder."""
    return git


@pytest.fixture(scope="module")
def private_config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No settings of this machine, and a place for keys that is not its user's."""
    folder = tmp_path_factory.mktemp("config")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("HABANERO_")]:
            patch.delenv(name)
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        yield folder

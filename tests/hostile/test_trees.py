"""Files in the app's tree that are no files: neither the server nor the laptop reads, follows or waits for one."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from habanero_py.project import Project
from habanero_py.snapshot import Sources
from habanero_receiver.errors import StoreError
from habanero_receiver.journal import base
from habanero_receiver.journal.base import Base


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shop = tmp_path / "app" / "shop"
    shop.mkdir(parents=True)
    (tmp_path / "app" / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    (shop / "__init__.py").write_text("")
    (shop / "cart.py").write_text("TOTAL = 0\n")
    (tmp_path / "outside.py").write_text("SECRET = 1\n")
    return tmp_path / "app"


def bound(path: Path) -> None:
    """A socket in the file system, whose path may be longer than a bind takes."""
    with socket.socket(socket.AF_UNIX) as listener:
        before = Path.cwd()
        os.chdir(path.parent)
        try:
            listener.bind(path.name)
        finally:
            os.chdir(before)


def device(path: Path) -> None:
    try:
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero: one that never ends
    except PermissionError:
        pytest.skip("making a device needs the right to")


STRANGE: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a socket": bound,
    "a device": device,
    "a link out of the tree": lambda path: path.symlink_to(path.parents[2] / "outside.py"),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nothing": lambda path: path.symlink_to("nowhere.py"),
    "a folder": Path.mkdir,
}


@pytest.mark.parametrize("make", STRANGE.values(), ids=STRANGE)
def test_what_is_no_file_is_no_module(root: Path, make: Callable[[Path], object]) -> None:
    """Server and laptop both see the two real modules, agree on the fingerprint, and have opened nothing else."""
    before = Base.scan(root, ["shop"])
    make(root / "shop" / "evil.py")
    after = Base.scan(root, ["shop"])
    assert set(after.modules) == {"shop", "shop.cart"} and after.digest == before.digest
    assert set(Sources(Project.find(root, ["shop"])).scan().modules) == {"shop", "shop.cart"}


@pytest.mark.parametrize("where", [".", "..", "/", "sub/sub"])
def test_a_loop_of_folders_is_not_walked(root: Path, where: str) -> None:
    """A link to a folder, to the one that it lies in too, is left alone."""
    (root / "shop" / "sub").mkdir()
    (root / "shop" / "sub" / "loop").symlink_to(root / "shop" / where if where != "/" else "/")
    assert set(Base.scan(root, ["shop"]).modules) == {"shop", "shop.cart"}
    assert set(Sources(Project.find(root, ["shop"])).scan().modules) == {"shop", "shop.cart"}


@pytest.mark.parametrize("make", [STRANGE["a link out of the tree"], STRANGE["a link to itself"]])
def test_a_file_that_is_exchanged_while_it_is_read_is_an_error(
    root: Path, make: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the listing and the reading a link came: it is not followed, and the base has no name."""
    real = base._Digests.__call__

    def exchanged(*arguments: object) -> object:
        (root / "shop" / "cart.py").unlink(missing_ok=True)
        make(root / "shop" / "cart.py")
        return real(*arguments)  # type: ignore[arg-type]  # what it was called with

    monkeypatch.setattr(base._Digests, "__call__", exchanged)
    (root / "shop" / "__init__.py").unlink()
    (root / "shop" / "cart.py").unlink()
    (root / "shop" / "cart.py").write_text("TOTAL = 0\n")
    with pytest.raises(StoreError) as caught:
        base.scan_modules(root, ["shop"])
    assert caught.value.code == "base-unreadable"

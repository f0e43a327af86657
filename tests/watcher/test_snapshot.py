"""Snapshots: the server's names, the bytes on disk, and only what changed is read."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from habanero_py import snapshot as snapshot_module
from habanero_py.errors import ToolError
from habanero_py.project import Project
from habanero_py.snapshot import Sources
from habanero_receiver.journal.base import fingerprint, scan_modules
from habanero_receiver.release.limits import Limits

ODD_TREE = {
    "shop/__init__.py": "",
    "shop/cart.py": "x = 1\n",
    "shop/both.py": "module",
    "shop/both/__init__.py": "package wins",
    "shop/either.py": "module wins over a folder",
    "shop/either/inner.py": "hidden by the module",
    "shop/space/inner.py": "in a namespace package",
    "shop/class.py": "no keyword",
    "shop/my-script.py": "no identifier",
    "shop/ﬁle.py": "not NFKC",
    "shop/__main__.py": "never a module",
    "shop/.hidden/x.py": "hidden",
    "shop/__pycache__/y.py": "cache",
    "shop/data.json": "{}",
    "other/__init__.py": "not watched",
    "app.py": "a single module",
}


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were opened."""
    opened: list[str] = []
    whole = snapshot_module._read_whole

    def noting(file: Path, max_bytes: int) -> object:
        opened.append(file.name)
        return whole(file, max_bytes)

    monkeypatch.setattr(snapshot_module, "_read_whole", noting)
    return opened


def old_sources(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> Sources:
    monkeypatch.setattr(snapshot_module, "_RACY_NS", -(10**18))  # ctime cannot be set back
    return sources


def test_laptop_and_server_name_the_same_tree_alike(tmp_path: Path) -> None:
    """Names, kinds, paths, digests and the fingerprint are those of the receiver's own scan, oddities included."""
    for path, text in ODD_TREE.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "shop/link.py").symlink_to(tmp_path / "app.py")
    os.mkfifo(tmp_path / "shop/pipe.py")
    project = Project.find(tmp_path, ["shop", "app.py"])
    mine, theirs = Sources(project).scan(), scan_modules(project.source_root, project.top_level)
    assert {n: (m.name, m.package, m.path, m.sha256, m.size) for n, m in mine.modules.items()} == {
        n: (m.name, m.package, m.path, m.sha256, m.size) for n, m in theirs.items()
    }
    assert mine.digest == fingerprint(theirs)
    assert {"shop.both", "shop.either", "shop.space.inner", "app"} <= set(mine.modules)


def test_a_snapshot_holds_the_bytes_that_it_digested(sources: Sources, root: Path) -> None:
    """What is tested is what is signed: later changes on disk do not reach a snapshot."""
    before = sources.scan()
    (root / "src/shop/cart.py").write_text("changed = 1\n")
    assert before.modules["shop.cart"].source == b"def total():\n    return 1\n"
    assert sources.scan().since(before) == ("src/shop/cart.py",)


def test_an_unchanged_tree_is_the_same_snapshot(sources: Sources) -> None:
    """Nothing changed is found by identity, whatever was touched."""
    before = sources.scan()
    assert sources.scan() is before
    assert sources.update([str(before.modules["shop.cart"].file)]) is before


def test_a_save_reads_one_file(sources: Sources, root: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost of a save does not depend on the size of the tree."""
    before = old_sources(sources, monkeypatch).scan()
    reads.clear()
    file = root / "src/shop/cart.py"
    file.write_text("def total():\n    return 2\n")
    after = sources.update([str(file)])
    assert reads == ["cart.py"]
    assert after.since(before) == ("src/shop/cart.py",)
    assert after.modules["shop.pricing"] is before.modules["shop.pricing"]


def test_a_full_scan_reads_only_what_stat_says_changed(
    sources: Sources, root: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unchanged files are not opened again."""
    old_sources(sources, monkeypatch).scan()
    reads.clear()
    (root / "src/shop/pricing.py").write_text("RATE = 10\n")
    sources.scan()
    assert reads == ["pricing.py"]


def test_a_change_that_stat_cannot_show_is_seen(sources: Sources, root: Path) -> None:
    """Same size within the same tick of the clock: files read that soon are read again."""
    before = sources.scan()
    file = root / "src/shop/pricing.py"
    status = file.stat()
    file.write_text("RATE = 3\n")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert sources.scan().since(before) == ("src/shop/pricing.py",)


def test_a_touched_file_is_read_whatever_stat_says(sources: Sources, root: Path, reads: list[str]) -> None:
    """An event counts for more than a time stamp."""
    sources.scan()
    reads.clear()
    sources.update([str(root / "src/shop/cart.py")])
    assert reads == ["cart.py"]


def test_modules_that_come_and_go_are_found(sources: Sources, root: Path) -> None:
    """New files, removed files, a module that becomes a package, a folder that is moved."""
    first = sources.scan()
    shop = root / "src/shop"
    (shop / "new.py").write_text("x = 1\n")
    second = sources.update([str(shop / "new.py")])
    assert second.since(first) == ("src/shop/new.py",)
    (shop / "new.py").unlink()
    (shop / "new").mkdir()
    (shop / "new/__init__.py").write_text("x = 1\n")
    third = sources.update([str(shop / "new.py"), str(shop / "new")])
    assert third.modules["shop.new"].package
    (shop / "new").rename(shop / "newer")
    fourth = sources.update([str(shop / "new"), str(shop / "newer")])
    assert set(fourth.modules) - set(third.modules) == {"shop.newer"}
    assert "shop.new" not in fourth.modules


def test_a_pipe_or_link_in_a_modules_place_is_never_opened(sources: Sources, root: Path) -> None:
    """The module is gone; nobody waits for the pipe's other end and nobody reads what the link points to."""
    before = sources.scan()
    cart, pricing = root / "src/shop/cart.py", root / "src/shop/pricing.py"
    cart.unlink()
    os.mkfifo(cart)
    pricing.unlink()
    pricing.symlink_to("/etc/hostname")
    after = sources.update([str(cart), str(pricing)])
    assert set(before.modules) - set(after.modules) == {"shop.cart", "shop.pricing"}


def test_ignored_modules_belong_to_their_machine(sources: Sources, root: Path) -> None:
    """They are in no snapshot, and one that the server alone has is named as left alone."""
    subprocess.run(["git", "init", "-q", str(root)], check=True, capture_output=True)
    (root / ".gitignore").write_text("_version.py\n")
    (root / "src/shop/_version.py").write_text("v = 1\n")
    assert "shop._version" not in sources.scan().modules
    assert sources.left_alone(["shop/_version.py", "shop/api/_version.py", "shop/cart.py"]) == {
        "shop/_version.py",
        "shop/api/_version.py",
    }
    (root / ".gitignore").write_text("")
    assert "shop._version" in sources.update([str(root / ".gitignore")]).modules


def test_limits_are_kept_with_help(root: Path) -> None:
    """A module too large and a tree too large are refused before anything is built, by name."""
    project = Project.find(root, ["src/shop"])
    with pytest.raises(ToolError, match=r"src/shop/cart\.py has more than 25 bytes") as caught:
        Sources(project, Limits(max_blob_bytes=25)).scan()
    assert (caught.value.code, bool(caught.value.help)) == ("blob-size", True)
    with pytest.raises(ToolError, match="5 modules are watched") as caught:
        Sources(project, Limits(max_modules=4)).scan()
    assert caught.value.code == "too-many-modules"


def test_an_unreadable_module_is_named(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaving it out would look like a deletion."""

    def refuse(file: Path, max_bytes: int) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(snapshot_module, "_read_whole", refuse)
    with pytest.raises(ToolError, match=r"could not be read: Permission denied; nothing was built") as caught:
        sources.scan()
    assert caught.value.code == "source-unreadable"


def test_after_an_error_the_next_reading_is_whole(root: Path) -> None:
    """A refused module leaves no half-read state behind."""
    sources = Sources(Project.find(root, ["src/shop"]), Limits(max_blob_bytes=40))
    before = sources.scan()
    file = root / "src/shop/cart.py"
    file.write_text("x = 1\n" * 20)
    with pytest.raises(ToolError):
        sources.update([str(file)])
    file.write_text("x = 2\n")
    assert sources.update([str(file)]).since(before) == ("src/shop/cart.py",)

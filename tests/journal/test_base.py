"""The base: which files are modules, and the fingerprint over them."""

from __future__ import annotations

import hashlib
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from habanero_receiver.errors import ConflictError, StoreError
from habanero_receiver.journal.base import Base, find_root, fingerprint, scan_modules


def tree(root: Path, *paths: str) -> Path:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# {path}\n")
    return root


def test_a_package_is_found_with_all_below_it(tmp_path):
    """Modules, packages, and modules in folders without __init__.py, by name and by path relative to the root."""
    tree(
        tmp_path,
        "shop/__init__.py",
        "shop/cart.py",
        "shop/api/__init__.py",
        "shop/api/v1.py",
        "shop/plain/mod.py",
        "other/x.py",
    )
    found = scan_modules(tmp_path, ["shop"])
    assert {name: (module.package, module.path) for name, module in found.items()} == {
        "shop": (True, "shop/__init__.py"),
        "shop.cart": (False, "shop/cart.py"),
        "shop.api": (True, "shop/api/__init__.py"),
        "shop.api.v1": (False, "shop/api/v1.py"),
        "shop.plain.mod": (False, "shop/plain/mod.py"),
    }
    cart = found["shop.cart"]
    assert cart.file == tmp_path / "shop" / "cart.py"
    assert cart.sha256 == hashlib.sha256(b"# shop/cart.py\n").hexdigest()
    assert cart.size == 15


def test_a_top_level_name_may_be_one_module(tmp_path):
    """`app.py` beside packages is watched as it is."""
    tree(tmp_path, "app.py", "lib/__init__.py", "setup.py")
    assert sorted(scan_modules(tmp_path, ["app", "lib"])) == ["app", "lib"]


def test_what_no_import_can_name_is_left_out(tmp_path):
    """Hidden folders, caches, scripts with dashes, keywords, `__main__`, other suffixes, names that NFKC changes."""
    tree(
        tmp_path, "shop/__init__.py", "shop/__main__.py", "shop/__pycache__/cart.py", "shop/.git/x.py", "shop/a-b.py",
        "shop/class.py", "shop/data.txt", "shop/x.pyc", "shop/9.py", "shop/ﬁle.py", "shop/node-modules/x.py",
    )  # fmt: skip
    assert sorted(scan_modules(tmp_path, ["shop"])) == ["shop"]


def test_links_and_special_files_are_left_out(tmp_path):
    """What lies elsewhere is not this app's source, and a pipe must not hang the start."""
    tree(tmp_path, "shop/__init__.py", "shop/real.py", "away/module.py")
    (tmp_path / "shop" / "linked.py").symlink_to(tmp_path / "away" / "module.py")
    (tmp_path / "shop" / "folder").symlink_to(tmp_path / "away")
    (tmp_path / "linked").symlink_to(tmp_path / "away")
    os.mkfifo(tmp_path / "shop" / "pipe.py")
    assert sorted(scan_modules(tmp_path, ["shop", "linked"])) == ["shop", "shop.real"]


def test_the_order_of_candidates_is_pythons(tmp_path, monkeypatch):
    """Package before module before bare folder: each name is the file that an import really takes."""
    tree(
        tmp_path, "cands/__init__.py", "cands/both.py", "cands/both/__init__.py", "cands/bare.py", "cands/bare/inner.py"
    )
    found = scan_modules(tmp_path, ["cands"])
    assert sorted(found) == ["cands", "cands.bare", "cands.both"]
    program = "import importlib, sys\nfor name in sys.argv[1:]: print(importlib.import_module(name).__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program, *found], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.split() == [str(module.file) for module in found.values()]


def test_the_fingerprint_is_of_names_and_bytes_alone(tmp_path):
    """Another folder and another time with the same sources: the same base. One byte, name or kind more: another."""
    one = tree(tmp_path / "one", "shop/__init__.py", "shop/cart.py")
    two = tree(tmp_path / "two", "shop/__init__.py", "shop/cart.py", "shop/notes.txt", "README.md")
    digest = fingerprint(scan_modules(one, ["shop"]))
    assert digest == fingerprint(scan_modules(two, ["shop"]))
    assert digest.startswith("sha256:")
    assert len(digest) == 7 + 64
    others = set()
    for change in (
        lambda: (two / "shop/cart.py").write_text("# shop/cart.py \n"),
        lambda: (two / "shop/cart.py").rename(two / "shop/basket.py"),
        lambda: tree(two, "shop/new.py"),
        lambda: (two / "shop/new.py").unlink() or tree(two, "shop/new/__init__.py"),
    ):
        change()
        others.add(fingerprint(scan_modules(two, ["shop"])))
    assert len(others) == 4
    assert digest not in others


def test_an_empty_base_has_a_fingerprint(tmp_path):
    """Nothing there is a base like any other, and not an error."""
    assert Base.scan(tmp_path, ["shop"]).modules == {}


def test_source_gives_what_was_scanned_or_nothing(tmp_path):
    """A file that changed since is refused: what is compared with a release must be the base that it is over."""
    tree(tmp_path, "shop/__init__.py", "shop/cart.py")
    base = Base.scan(tmp_path, ["shop"])
    assert base.source("shop.cart") == b"# shop/cart.py\n"
    with pytest.raises(KeyError):
        base.source("shop.nothing")
    (tmp_path / "shop/cart.py").write_text("# shop/cartX.py"[:15])
    with pytest.raises(ConflictError) as caught:
        base.source("shop.cart")
    assert caught.value.code == "base-changed"
    (tmp_path / "shop/cart.py").unlink()
    with pytest.raises(StoreError) as gone:
        base.source("shop.cart")
    assert gone.value.code == "base-unreadable"


def test_a_root_that_is_not_there_is_an_error(tmp_path):
    """A fingerprint of nothing would fit any server whose disk is missing."""
    with pytest.raises(StoreError, match="gone"):
        scan_modules(tmp_path / "gone", ["shop"])


def test_find_root_prefers_what_has_sources(tmp_path):
    """A folder that only happens to have the name does not hide the package further down the path."""
    tree(tmp_path, "docs/shop/readme.txt", "src/shop/__init__.py", "late/shop/__init__.py", "late/lib.py")
    places = [tmp_path / "docs", tmp_path / "src", tmp_path / "late"]
    assert find_root(places, ["shop"]) == tmp_path / "src"
    assert find_root(places, ["shop", "lib"]) == tmp_path / "late"
    assert find_root(places[:1], ["shop"]) == tmp_path / "docs"
    assert find_root(places, ["nowhere"]) is None
    importlib.invalidate_caches()

"""The import finder, in this process: one release or another, and the source that runs."""

from __future__ import annotations

import importlib
import inspect
import linecache
import sys
import threading
from pathlib import Path

import pytest

from habanero_receiver.overlay import Overlay
from habanero_receiver.swap.building.compiler import build
from habanero_receiver.swap.image import ModuleImage


def image(root: Path, name: str, source: str | bytes, *, package: bool = False) -> ModuleImage:
    path = name.replace(".", "/") + ("/__init__.py" if package else ".py")
    data = source.encode() if isinstance(source, str) else source
    return ModuleImage(name, package, str(root / path), data, *build(data, name, path, package))


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder on sys.path with the package `ovl`; its modules are forgotten afterwards."""
    (tmp_path / "ovl").mkdir()
    (tmp_path / "ovl" / "__init__.py").write_text("")
    (tmp_path / "ovl" / "one.py").write_text("def f():\n    return 'disk'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.fixture
def told():
    return []


@pytest.fixture
def overlay(root, told):
    made = Overlay({"ovl": root / "ovl" / "__init__.py"}, lambda *where: told.append(where))
    made.install()
    yield made
    sys.meta_path.remove(made)
    for name in [name for name in sys.modules if name.partition(".")[0] == "ovl"]:
        del sys.modules[name]
    made.replace({})


def fresh(name: str):
    sys.modules.pop(name, None)
    return importlib.import_module(name)


@pytest.mark.parametrize("prefix", [None, "/var/cache/python"])
def test_modules_have_the_attributes_that_an_import_from_disk_gives(overlay, root, monkeypatch, prefix):
    """File, .pyc path and search path are what Python itself works out for the same file."""
    monkeypatch.setattr(sys, "pycache_prefix", prefix)
    overlay.replace({
        "ovl": image(root, "ovl", "", package=True), "ovl.one": image(root, "ovl.one", ""),
    })  # fmt: skip
    package, module = fresh("ovl"), fresh("ovl.one")
    overlay.replace({})
    for ours, disk in ((package, fresh("ovl")), (module, fresh("ovl.one"))):
        assert (ours.__file__, ours.__cached__) == (disk.__file__, disk.__cached__)
        assert (ours.__spec__.origin, ours.__spec__.cached) == (disk.__spec__.origin, disk.__spec__.cached)
    assert package.__path__ == fresh("ovl").__path__


def test_replace_changes_what_the_next_import_finds(overlay, root):
    """Disk, release, another release, disk again."""
    assert fresh("ovl.one").f() == "disk"
    for text in ("a", "b"):
        overlay.replace({"ovl.one": image(root, "ovl.one", f"def f():\n    return {text!r}\n")})
        assert fresh("ovl.one").f() == text
    overlay.replace({"ovl.one": None})
    with pytest.raises(ModuleNotFoundError, match="deleted"):
        fresh("ovl.one")
    overlay.replace({})
    assert fresh("ovl.one").f() == "disk"


def test_the_lines_of_a_living_module_are_left_to_the_swap(overlay, root):
    """A release that comes and is taken back must not lose what tracebacks show of a module that stays imported."""
    overlay.replace({"ovl.one": image(root, "ovl.one", "def f():\n    return 'a'\n")})
    module = fresh("ovl.one")
    overlay.replace({"ovl.one": image(root, "ovl.one", "def f():\n    return 'b'\n")})
    assert linecache.getline(module.__file__, 2) == "    return 'a'\n"
    del sys.modules["ovl.one"]
    overlay.replace({})
    assert linecache.getline(module.__file__, 2) == "    return 'disk'\n"


def test_lines_are_counted_as_python_counts_them(overlay, root):
    """A form feed or a Unicode line separator inside a line is no new line; encodings and line ends are Python's."""
    source = "# coding: latin-1\r\nPAGE = '''\x0c\x1c'''\r\ndef f():\r\n    return 'é'\r\n".encode("latin-1")
    overlay.replace({"ovl.one": image(root, "ovl.one", source)})
    module = fresh("ovl.one")
    assert module.f() == "é"
    assert inspect.getsource(module.f) == "def f():\n    return 'é'\n"
    assert linecache.getline(module.__file__, 4) == "    return 'é'\n"


def test_an_image_beats_a_module_that_cannot_be_read_from_disk(overlay, root):
    """A base module with a syntax error, replaced by a release, is imported as the release has it."""
    (root / "ovl" / "one.py").write_text("def broken(:\n")
    overlay.replace({"ovl.one": image(root, "ovl.one", "FINE = True\n")})
    assert fresh("ovl.one").FINE


def test_a_module_becomes_a_package_and_the_other_way_round(overlay, root):
    """The release decides what a name is."""
    overlay.replace({
        "ovl.one": image(root, "ovl.one", "from .sub import X\n", package=True),
        "ovl.one.sub": image(root, "ovl.one.sub", "X = 1\n"),
        "ovl": image(root, "ovl", "TOP = 1\n", package=True),
    })  # fmt: skip
    assert fresh("ovl.one").X == 1
    assert sys.modules["ovl"].TOP == 1


def test_folders_without_a_source_stay_as_they_are_on_disk(overlay, root):
    """A folder without __init__.py on disk keeps the modules that only the disk has."""
    (root / "ovl" / "plain").mkdir()
    (root / "ovl" / "plain" / "disk.py").write_text("X = 'disk'\n")
    overlay.replace({"ovl.plain.new": image(root, "ovl.plain.new", "from . import disk\nX = disk.X\n")})
    assert fresh("ovl.plain.new").X == "disk"


def test_the_overlay_is_first_and_once(overlay):
    """Installing again changes nothing."""
    overlay.install()
    assert sys.meta_path.count(overlay) == 1
    assert sys.meta_path[0] is overlay


def test_code_that_lies_elsewhere_is_told_once_and_left_alone(root, told, tmp_path):
    """The disk gives another file than the base has: no image is used, and it is said once."""
    made = Overlay({"ovl": tmp_path / "elsewhere" / "ovl" / "__init__.py"}, lambda *where: told.append(where))
    made.install()
    try:
        made.replace({"ovl.one": image(root, "ovl.one", "def f():\n    return 'new'\n")})
        assert fresh("ovl.one").f() == "disk"
        assert fresh("ovl.one").f() == "disk"
        assert made.misplaced
        assert [where[:2] for where in told] == [("ovl", str(root / "ovl" / "__init__.py"))]
    finally:
        sys.meta_path.remove(made)
        for name in ("ovl", "ovl.one"):
            sys.modules.pop(name, None)


def test_what_was_imported_before_is_looked_at_too(root, told, tmp_path):
    """Installed late, after the entry module has imported the package: misplaced is misplaced."""
    fresh("ovl")
    made = Overlay({"ovl": tmp_path / "elsewhere" / "ovl" / "__init__.py"}, lambda *where: told.append(where))
    made.install()
    try:
        assert made.misplaced
        assert len(told) == 1
    finally:
        sys.meta_path.remove(made)
        sys.modules.pop("ovl", None)


def test_imports_in_many_threads_see_whole_releases(overlay, root):
    """While releases change, each import of a module gives one release's build with the same release's source."""
    releases = [{"ovl.one": image(root, "ovl.one", f"NUMBER = {number}\n" + "# x\n" * number)} for number in range(8)]
    overlay.replace(releases[0])
    over, wrong = threading.Event(), []

    def read() -> None:
        while not over.is_set():
            spec = overlay.find_spec("ovl.one")
            assert spec is not None
            namespace: dict[str, int] = {}
            exec(spec.loader.get_code("ovl.one"), namespace)
            if spec.loader.get_source("ovl.one").count("# x") != namespace["NUMBER"]:
                wrong.append(namespace["NUMBER"])

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for turn in range(400):
        overlay.replace(releases[turn % len(releases)])
    over.set()
    for reader in readers:
        reader.join(timeout=10)
    assert not wrong

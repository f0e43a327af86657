"""What follows from a change without being its own: caches of old answers, docstrings, later bindings of a name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from habanero_receiver.swap import CommittedSwap, ModuleImage, Swapper, image_from_source


class Living:
    """Modules of this process, made from sources, and their swapper."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base: dict[str, ModuleImage] = {}
        self.swapper = Swapper(self.base.get, {"follow_one", "follow_two"})

    def image(self, name: str, source: str) -> ModuleImage:
        """One version of a module."""
        return image_from_source(name, False, str(self.folder / f"{name}.py"), f"{name}.py", source.encode())

    def load(self, name: str, source: str) -> ModuleType:
        """Imports the version that the process starts with."""
        image = self.base[name] = self.image(name, source)
        module = ModuleType(name)
        module.__file__ = image.filename
        sys.modules[name] = module
        exec(compile(source, image.filename, "exec"), vars(module))
        return module

    def swap(self, name: str, source: str) -> CommittedSwap:
        """Moves one module to another version."""
        return self.swapper.stage({name: self.image(name, source)}).commit()


@pytest.fixture
def living(tmp_path: Path) -> Iterator[Living]:
    """An app of two modules, gone afterwards."""
    yield Living(tmp_path)
    for name in ("follow_one", "follow_two"):
        sys.modules.pop(name, None)


CACHED = "import functools\n\n@functools.cache\ndef answer():\n    return 1\n"


def test_a_cache_forgets_what_old_code_answered(living: Living) -> None:
    """The wrapper is the same object, and the next call runs the new body; so it is when the swap is taken back."""
    module = living.load("follow_one", CACHED)
    held = module.answer
    assert held() == 1
    committed = living.swap("follow_one", CACHED.replace("return 1", "return 2"))
    assert module.answer is held
    assert held() == 2
    committed.undo()
    assert held() == 1


def test_a_cache_is_kept_when_its_code_only_moved(living: Living) -> None:
    """A comment above it costs nothing."""
    module = living.load("follow_one", CACHED)
    module.answer()
    living.swap("follow_one", "# more\n" + CACHED)
    assert module.answer.cache_info().currsize == 1


DOCS = '"""Module.\n\n   Indented.\n"""\n\nclass Shop:\n    """One.\n\n        Indented.\n    """\n'


def test_docstrings_are_what_the_compiler_makes_of_them(living: Living) -> None:
    """Newer compilers take the indentation out: modules and classes show what a fresh import would."""
    module = living.load("follow_one", DOCS)
    after = DOCS.replace("Indented", "Further in")
    living.swap("follow_one", after)
    fresh: dict[str, object] = {}
    exec(compile(after, "fresh.py", "exec"), fresh)
    assert module.__doc__ == fresh["__doc__"]
    assert module.Shop.__doc__ == fresh["Shop"].__doc__


def test_imported_dunder_names_follow(living: Living) -> None:
    """``from pkg import __version__`` is an import as any other."""
    living.load("follow_one", "__version__ = '1'\n")
    importer = living.load("follow_two", "from follow_one import __version__\n")
    living.swap("follow_one", "__version__ = '2'\n")
    assert importer.__version__ == "2"


OVERLOADS = """\
from typing import overload

@overload
def twice(x: int) -> int: ...
@overload
def twice(x: str) -> str: ...
def twice(x):
    return x + x

class Shop:
    @overload
    def get(self, x: int) -> int: ...
    @overload
    def get(self, x: str) -> str: ...
    def get(self, x):
        return x
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [("x: str) -> str", "x: list) -> list"), ("    def get(self, x: str)", "    def get(self, x: bytes)")],
)
def test_the_last_statement_that_binds_a_name_has_it(living: Living, old: str, new: str) -> None:
    """A changed overload is run, but the implementation behind it, which is not, stays what the name means."""
    module = living.load("follow_one", OVERLOADS)
    held, method = module.twice, module.Shop.get
    living.swap("follow_one", OVERLOADS.replace(old, new))
    assert module.twice is held
    assert held([1]) == [1, 1]
    assert module.Shop.get is method
    assert module.Shop().get(3) == 3

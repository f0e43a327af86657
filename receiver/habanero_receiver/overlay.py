"""The overlay: an import finder that comes before the disk and finds the modules of the current release.

What it does: gives an import the release's code and source, hides the modules that the release deletes, makes
tracebacks and `inspect` show the source that runs. What it does not: it verifies nothing (the images come verified),
patches no module that is already imported (that is `swap`), and lists nothing: `pkgutil.iter_modules` sees the disk.

The rule it upholds: one release or another, never parts of both. `replace` sets one pointer; an import that is under
way has its image from one side of it. And a release is only ever laid over the base that it was made for: when the
first module of an app turns out to lie somewhere else on disk than that base, the overlay is not used at all.
"""

from __future__ import annotations

import linecache
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import cache_from_source
from typing import TYPE_CHECKING

from habanero_receiver.swap.showing.loader import ImageLoader
from habanero_receiver.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

    from habanero_receiver.swap.image import ModuleImage

    Images = Mapping[str, ModuleImage | None]
    OnMisplaced = Callable[[str, str, Path], None]


_PYC = cache_from_source("/x/y.py", optimization=None).partition("/y")[2]
"""How the name of a .pyc file of this very Python goes on after the module's."""


class _Release(NamedTuple):
    """All that an import looks at, behind one pointer."""

    images: Images
    parents: frozenset[str]
    """The names above the images: packages that may have no source of their own."""


class Overlay:
    """The finder. One per process; `install` puts it before all others, `replace` gives it another release."""

    def __init__(self, files: Mapping[str, Path], on_misplaced: OnMisplaced) -> None:
        """Begin without a release. `files` holds, by top-level name, the file that the base has for it.

        `on_misplaced` is told, once, of a top-level module that comes from another file: its name, that file, ours.
        """
        self._files = dict(files)
        self._on_misplaced = on_misplaced
        self._tops = frozenset(files)
        self._release = _Release({}, frozenset())
        self.misplaced = False
        self.on_import: Callable[[str], None] | None = None
        """Told of each module of the app that is about to be imported."""

    @property
    def images(self) -> Images:
        """The modules of the current release; None for those that it deletes. Empty on the base."""
        return self._release.images

    def install(self) -> None:
        """Become the first finder. Nothing happens when it is one already."""
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)
        for name in sorted(self._files.keys() & sys.modules.keys()):
            self._place(name)

    def replace(self, images: Images) -> None:
        """Find the modules of another release from now on. `images` must not change afterwards.

        It is part of a commit's pause: it reads no source. What is imported already stays as it is; moving that, and
        what tracebacks show of it, is the swap engine's.
        """
        before, self._release = self._release, _Release(images, _parents(images))
        for name, image in before.images.items():
            if image is not None and images.get(name) is not image and name not in sys.modules:
                linecache.cache.pop(image.filename, None)  # its next import may be from disk

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module of the release; None leaves it to the disk, ModuleNotFoundError says that it is deleted."""
        if fullname in self._files:
            self._place(fullname)
        if self.on_import is not None and fullname.partition(".")[0] in self._tops:
            self.on_import(fullname)
        release = self._release
        if self.misplaced:
            return None
        try:
            image = release.images[fullname]
        except KeyError:
            return _folder(release, fullname, path, target) if fullname in release.parents else None
        if image is None:
            raise ModuleNotFoundError(f"No module named {fullname!r} (deleted by the release)", name=fullname)
        return _spec(image)

    def _place(self, top: str) -> None:
        """See, once for each top-level package, that what the disk gives is of our base."""
        ours, disk = self._files.pop(top, None), self._on_disk(top)
        if not self.misplaced and ours is not None and disk is not None and not _same_file(disk, ours):
            self.misplaced = True
            self._on_misplaced(top, disk, ours)

    def _on_disk(self, top: str) -> str | None:
        """The file that the module came from, or that the other finders would take it from."""
        if top in sys.modules:
            return getattr(sys.modules[top], "__file__", None)
        for finder in sys.meta_path:
            spec = finder.find_spec(top, None) if finder is not self else None
            if spec is not None:
                return spec.origin
        return None


def _spec(image: ModuleImage) -> ModuleSpec:
    spec = ModuleSpec(image.name, ImageLoader(image), origin=image.filename, is_package=image.package)
    spec.has_location = True
    if sys.pycache_prefix is None:
        # What importlib would work out by itself, in ten times as long: a tenth of the time of an import.
        folder, _, file = image.filename.rpartition("/")
        spec.cached = f"{folder}/__pycache__/{file.removesuffix('.py')}{_PYC}"
    if image.package:
        spec.submodule_search_locations = [os.path.dirname(image.filename)]  # noqa: PTH120  # text in, text out
    return spec


def _folder(
    release: _Release, fullname: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    """The spec of a package that holds modules of the release and has no source: from disk, else a new one."""
    spec = PathFinder.find_spec(fullname, path, target)
    if spec is not None:
        return spec
    below = f"{fullname}."
    image = next(image for name, image in release.images.items() if image is not None and name.startswith(below))
    depth = image.name.count(".") - fullname.count(".") - (0 if image.package else 1)
    folder = os.path.dirname(image.filename)  # noqa: PTH120  # text in, text out
    for _ in range(depth):
        folder = os.path.dirname(folder)  # noqa: PTH120  # likewise
    spec = ModuleSpec(fullname, None, is_package=True)
    spec.submodule_search_locations = [folder]
    return spec


def _parents(images: Images) -> frozenset[str]:
    parents = set()
    for name, image in images.items():
        parent = name.rpartition(".")[0] if image is not None else ""
        while parent and parent not in parents:
            parents.add(parent)
            parent = parent.rpartition(".")[0]
    return frozenset(parent for parent in parents if parent not in images)


def _same_file(one: str, other: Path) -> bool:
    try:
        return other.samefile(one)
    except OSError:
        return False

"""Runs cases the way a release goes: built as the watcher builds, imported and applied as the receiver does.

    python run.py --engine driver.py

Sources are scanned by the base's own rules, built in a process of their own by the watcher's builder, carried as the
bytes that a release carries, found by the overlay's import finder and applied by the swap engine: always the whole
overlay over the base. What is left out is what does not touch code: signatures, the network and the bucket.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple, NoReturn

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[1:1] = [str(REPOSITORY / "receiver"), str(REPOSITORY / "watcher")]

from habanero_py.builder import Builder  # noqa: E402  # found by the line above
from habanero_receiver.journal.base import Base, SourceFile, find_modules  # noqa: E402
from habanero_receiver.overlay import Overlay  # noqa: E402
from habanero_receiver.release.statement import PythonTag  # noqa: E402
from habanero_receiver.swap import ModuleImage, Swapper, image_from_source  # noqa: E402

HOOKS = {"module": "def __code_change__(old):", "instance": "def __code_change__(self, old=None):"}


class Module(NamedTuple):
    """One module of a tree, as the builder takes it."""

    name: str
    package: bool
    path: str
    source: bytes


class Deployment:
    """One process under swap: its base, and the overlay that it runs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.base = Base.scan(root, top_level(root))
        self.sources = {name: self.base.source(name) for name in self.base.modules}
        self.base_images: dict[str, ModuleImage] = {}
        self.images: dict[Module, ModuleImage] = {}
        self.builder = Builder(Path(sys.executable), PythonTag.current())
        self.builder.start()
        files = {name: module.file for name, module in self.base.modules.items() if "." not in name}
        self.overlay = Overlay(files, misplaced)
        self.overlay.install()
        self.swapper = Swapper(self.base_image, top_level(root), self.overlay.replace)

    def base_image(self, name: str) -> ModuleImage | None:
        """The module as it was deployed, built in this process as the receiver does."""
        if name not in self.sources:
            return None
        if name not in self.base_images:
            file = self.base.modules[name]
            self.base_images[name] = image_from_source(
                name, file.package, str(file.file), file.path, self.sources[name]
            )
        return self.base_images[name]

    def release(self) -> dict[str, ModuleImage | None]:
        """The overlay that makes the base what lies on disk now."""
        tree = {name: self.module(name, package, path) for name, package, path in modules(self.root)}
        changed = [module for module in tree.values() if self.differs(module)]
        new = [module for module in changed if module not in self.images]
        for name, built in self.builder.build(new).items():
            module = tree[name]
            filename = str(self.root / module.path)
            self.images[module] = ModuleImage(name, module.package, filename, module.source, *built)
        deleted = dict.fromkeys(self.base.modules.keys() - tree.keys())
        return {**deleted, **{module.name: self.images[module] for module in changed}}

    def module(self, name: str, package: bool, path: str) -> Module:
        """A module of the tree on disk, read now."""
        return Module(name, package, path, (self.root / path).read_bytes())

    def differs(self, module: Module) -> bool:
        """Whether the module is another one than the base's."""
        known: SourceFile | None = self.base.modules.get(module.name)
        return known is None or known.package != module.package or self.sources[module.name] != module.source

    def apply(self) -> None:
        """Makes the process run what lies on disk; raises and changes nothing when it cannot."""
        release = self.release()
        self.swapper.top_level = frozenset(top_level(self.root)) | self.swapper.top_level
        self.swapper.stage(release).commit().seal()


def top_level(root: Path) -> set[str]:
    """The names that a user would list: every top-level package and module of the tree."""
    return {path.stem for path in root.iterdir()}


def modules(root: Path) -> list[tuple[str, bool, str]]:
    """Every module of the tree: name, whether it is a package, path."""
    return list(find_modules(root, top_level(root)))


def misplaced(name: str, disk: str, ours: Path) -> NoReturn:
    """No case lies elsewhere than where its base was scanned."""
    raise AssertionError(f"{name} comes from {disk}, not from {ours}")


_deployments: list[Deployment] = []


def install(root: Path) -> None:
    """Called before the app is imported."""
    _deployments.append(Deployment(root))


def apply(root: Path, changed: list[Path], added: list[Path], deleted: list[Path]) -> None:
    """Called when the tree on disk has become another one."""
    _deployments[-1].apply()

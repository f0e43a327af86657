"""What of a project is watched: which top-level modules, under which folder, and which folders must be looked at.

It reads folder listings, never a file's content, and keeps nothing. Which file is which module is not decided here but
by `habanero_receiver.journal.base`, the same code that names modules on the server. The rule it upholds: one source
root, so that a module has the same name and the same path on the laptop and on the server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from habanero_receiver.errors import ConfigError

_HELP = 'name top-level packages or modules: [tool.habanero] watch = ["src/shop"]'
_SOURCE_FOLDERS = ("src", "lib", ".")
_NOT_THE_APP = frozenset({
    "tests", "test", "docs", "doc", "examples", "example", "benchmarks", "tools", "scripts", "build", "dist", "venv",
    "env", "node_modules", "site",
    "setup", "conftest", "noxfile", "tasks", "fabfile", "dodo", "toxfile",
})  # fmt: skip
_TEST_FOLDERS = ("tests", "test")


@dataclass(frozen=True, slots=True)
class Project:
    """The project folder, the folder that is on `sys.path` on the server, and the top-level names in it."""

    root: Path
    source_root: Path
    top_level: tuple[str, ...]

    @classmethod
    def find(cls, root: Path, watch: Sequence[str] = ()) -> Project:
        """From the setting `watch`: packages or single modules, relative to the project folder `root`.

        Without any, the importable packages below src/, lib/ or the project itself, else its single modules, tests
        and tools left out. ConfigError `bad-watch` names the entry that will not do.
        """
        root = root.resolve()
        if not watch:
            return _by_default(root)
        places = [_place(root, entry) for entry in watch]
        roots = {source_root for source_root, _ in places}
        if len(roots) > 1:
            found = ", ".join(sorted(str(path.relative_to(root)) for path in roots))
            raise ConfigError(
                "bad-watch",
                f"watch has entries under several source roots ({found}); one project has one",
                subject=", ".join(watch),
                help="watch the packages under one of them",
            )
        return cls(root, roots.pop(), tuple(dict.fromkeys(name for _, name in places)))

    def shown(self, path: str) -> str:
        """A path below the source root, as a person in the project folder would write it."""
        return Path(os.path.relpath(self.source_root / path, self.root)).as_posix()

    def places(self) -> list[str]:
        """What is watched, as a person would write it."""
        return [self.shown(name if self._is_folder(name) else f"{name}.py") for name in self.top_level]

    def folders(self) -> Iterator[Path]:
        """Every folder in which a change can concern the app's modules, the source root first.

        Empty ones too: the first module of a new package appears in one.
        """
        yield self.source_root
        for name in self.top_level:
            if self._is_folder(name):
                yield from _tree(self.source_root / name)

    def test_folders(self) -> Iterator[Path]:
        """Every folder of the project's tests: a change there can turn a failing gate green."""
        for name in _TEST_FOLDERS:
            if (self.root / name).is_dir():
                yield from _tree(self.root / name)

    def _is_folder(self, name: str) -> bool:
        path = self.source_root / name
        return path.is_dir() and not path.is_symlink()


def _tree(folder: Path) -> Iterator[Path]:
    """The folder and those below it that can be packages. One that goes away meanwhile is passed over."""
    yield folder
    try:
        with os.scandir(folder) as entries:
            inner = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return
    for name in inner:
        if name.isidentifier() and name != "__pycache__":
            yield from _tree(folder / name)


def _place(root: Path, entry: str) -> tuple[Path, str]:
    path = Path(os.path.normpath(root / entry))
    if not path.is_relative_to(root) or path == root:
        raise ConfigError("bad-watch", f"{entry!r} is not inside the project", subject=entry, help=_HELP)
    name = path.stem if path.suffix == ".py" else path.name
    if path.is_symlink() or not (path.is_dir() or (path.suffix == ".py" and path.is_file())):
        what = "is a symbolic link" if path.is_symlink() else "is neither a folder nor a .py file"
        raise ConfigError("bad-watch", f"{entry!r} {what}", subject=entry, help=_HELP)
    if not name.isidentifier():
        raise ConfigError("bad-watch", f"{entry!r} is no name that could be imported", subject=entry, help=_HELP)
    if (path.parent / "__init__.py").is_file():
        raise ConfigError(
            "bad-watch",
            f"{entry!r} is inside the package {path.parent.name}",
            subject=entry,
            help=f"watch the whole package: {path.parent.relative_to(root).as_posix()}",
        )
    return path.parent, name


def _by_default(root: Path) -> Project:
    for folder in _SOURCE_FOLDERS:
        source_root = Path(os.path.normpath(root / folder))
        if not source_root.is_dir():
            continue
        names = sorted(_packages(source_root)) or sorted(_single_modules(source_root))
        if names:
            return Project(root, source_root, tuple(names))
    raise ConfigError("bad-watch", f"no importable package was found in {root}", subject=str(root), help=_HELP)


def _packages(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if _importable(path.name) and not path.is_symlink() and (path / "__init__.py").is_file():
            yield path.name


def _single_modules(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if path.suffix == ".py" and _importable(path.stem) and path.is_file() and not path.is_symlink():
            yield path.stem


def _importable(name: str) -> bool:
    return name.isidentifier() and name not in _NOT_THE_APP and not name.startswith("_")

"""The base: the code that a process was deployed with, named by a digest of the app's own sources as they lie on disk.

What it does: finds the modules of the listed top-level packages under one root, as Python's own path finder would,
and digests them. What it does not: it imports nothing, follows no symbolic link and asks no package metadata; version
numbers and image tags have no say.

The rule it upholds: a server and a laptop that hold the same sources compute the same fingerprint, and one byte of
difference gives another. Releases are made over one fingerprint, so a new deployment begins without any.
"""

from __future__ import annotations

import hashlib
import keyword
import os
from pathlib import Path
from typing import TYPE_CHECKING

from habanero_receiver.errors import ConflictError, StoreError
from habanero_receiver.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from typing import Protocol

    class Named(Protocol):
        """What a module is to a fingerprint."""

        @property
        def package(self) -> bool:
            """Whether it is a package's `__init__`."""

        @property
        def path(self) -> str:
            """Relative to the root, with slashes."""

        @property
        def sha256(self) -> str:
            """The digest of its source, 64 hex digits."""


_DOMAIN = b"habanero-py base v1\n"
_CHUNK = 1 << 20
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""What was a regular file a moment ago may be a pipe or a link by now: neither is waited for or followed."""
_NO_MODULE = frozenset({"__main__", "__pycache__"})


class SourceFile(NamedTuple):
    """One module on disk: `path`, with slashes, below the folder `root`, which is empty where it is another machine's.

    A start makes one for each module of the app, so no Path is made before somebody asks.
    """

    name: str
    package: bool
    path: str
    root: str
    sha256: str
    size: int

    @property
    def file(self) -> Path:
        """Where it is on this machine."""
        return Path(self.root, self.path)


def scan_modules(root: Path, top_level: Collection[str]) -> dict[str, SourceFile]:
    """Find and digest every module of the packages (or single modules) `top_level` under `root`, by name.

    Where a name could be several things the order is Python's: a package, then a module, then a folder without
    `__init__.py`. Such folders count as packages without a source of their own. Names that no import statement can
    spell, symbolic links and special files are left out. StoreError `base-unreadable` when a source cannot be read.
    """
    folder, digested = str(root), _Digests()
    return {
        name: SourceFile(name, package, path, folder, *digested(f"{folder}/{path}"))
        for name, package, path in find_modules(root, top_level)
    }


def find_modules(root: Path, top_level: Collection[str]) -> Iterator[tuple[str, bool, str]]:
    """What `scan_modules` finds, without reading it: (name, package, path relative to the root), in order.

    StoreError `base-unreadable` when a folder cannot be listed.
    """
    return _below(str(root), "", "", _list(str(root), only=frozenset(top_level)))


def fingerprint(modules: Mapping[str, Named]) -> str:
    """The digest of a base: "sha256:" and hex, over each module's name, kind, path and source digest."""
    digest = hashlib.sha256(_DOMAIN)
    for name in sorted(modules):
        module = modules[name]
        digest.update(f"{name}\0{int(module.package)}\0{module.path}\0{module.sha256}\n".encode())
    return f"sha256:{digest.hexdigest()}"


def find_root(places: Iterable[Path], top_level: Collection[str]) -> Path | None:
    """The first of `places` that holds all of the packages or modules `top_level`, or None.

    As for Python, a folder without `__init__.py` counts only when no place has more than that.
    """
    places = list(places)
    for sourced in (True, False):
        for place in places:
            if all(_holds(place, name, sourced=sourced) for name in top_level):
                return place
    return None


class Base(NamedTuple):
    """The sources under `root` at the moment of the scan, and their fingerprint."""

    root: Path
    modules: Mapping[str, SourceFile]
    digest: str

    @classmethod
    def scan(cls, root: Path, top_level: Collection[str]) -> Base:
        """Read and digest the sources now."""
        modules = scan_modules(root, top_level)
        return cls(root, modules, fingerprint(modules))

    def source(self, name: str) -> bytes:
        """The source of a module as it was scanned.

        KeyError for a name that the base does not have; ConflictError `base-changed` when the file on disk is another
        one by now.
        """
        module = self.modules[name]
        data = _read(str(module.file))
        if len(data) != module.size or hashlib.sha256(data).hexdigest() != module.sha256:
            raise ConflictError(
                "base-changed",
                f"{module.file} was changed on this machine after the process started, or after its digest was noted",
                subject=name,
                help="restart the process: it starts on what is on disk, as a new base (a file of HABANERO_FINGERPRINT "
                "has to be written anew first)",
            )
        return data


def _holds(place: Path, name: str, *, sourced: bool) -> bool:
    package = place / name
    return (package / "__init__.py" if sourced else package).exists() or (place / f"{name}.py").is_file()


class _Listing(NamedTuple):
    """The stems of what may be modules in one folder: its own folders, and its `.py` files."""

    folders: frozenset[str]
    files: frozenset[str]


def _below(root: str, package: str, path: str, listing: _Listing) -> Iterator[tuple[str, bool, str]]:
    """Every module below a folder as (name, package, path of its file); `package` and `path` are its own, or empty."""
    for stem in sorted(listing.folders | listing.files):
        name = f"{package}.{stem}" if package else stem
        inner_path = f"{path}/{stem}" if path else stem
        inner = _list(f"{root}/{inner_path}") if stem in listing.folders else None
        if inner is not None and "__init__" in inner.files:
            yield name, True, f"{inner_path}/__init__.py"
        elif stem in listing.files:
            yield name, False, f"{inner_path}.py"
            continue
        if inner is not None:
            yield from _below(root, name, inner_path, inner._replace(files=inner.files - {"__init__"}))


def _list(folder: str, only: frozenset[str] | None = None) -> _Listing:
    folders, files = set(), set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.add(entry.name)
                elif entry.name.endswith(".py") and entry.is_file(follow_symlinks=False):
                    files.add(entry.name[:-3])
    except OSError as error:
        raise _unreadable(folder, error) from error
    return _Listing(_spelled(folders, only), _spelled(files, only))


def _spelled(stems: set[str], only: frozenset[str] | None) -> frozenset[str]:
    """Those that an import statement can spell; `__init__` stays, for its folder to be told as a package."""
    return frozenset(
        stem
        for stem in (stems if only is None else stems & only)
        if stem.isidentifier()
        and not keyword.iskeyword(stem)
        and (stem.isascii() or _is_normal(stem))
        and stem not in _NO_MODULE
    )


def _is_normal(stem: str) -> bool:
    import unicodedata  # the names of most modules are plain

    return unicodedata.is_normalized("NFKC", stem)


class _Digests:
    """Digests files one after the other, each in the same memory: nothing of them is kept."""

    def __init__(self) -> None:
        self._buffer = bytearray(_CHUNK)
        self._view = memoryview(self._buffer)

    def __call__(self, file: str) -> tuple[str, int]:
        """The sha256 and the size of a file; StoreError `base-unreadable`."""
        into, view = (self._buffer,), self._view
        try:
            handle = os.open(file, _READ)
            try:
                size = last = os.readv(handle, into)
                digest = hashlib.sha256(view[:last])
                while last := os.readv(handle, into):
                    digest.update(view[:last])
                    size += last
            finally:
                os.close(handle)
        except OSError as error:
            raise _unreadable(file, error) from error
        return digest.hexdigest(), size


def _read(file: str) -> bytes:
    try:
        handle = os.open(file, _READ)
        try:
            size = os.fstat(handle).st_size
            data = os.read(handle, size + 1)
            while len(data) != size and (more := os.read(handle, _CHUNK)):  # it grew, or is read in parts
                data += more
            return data
        finally:
            os.close(handle)
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: str, error: OSError) -> StoreError:
    return StoreError(
        "base-unreadable",
        f"{file} could not be read, so the code of this process has no name: {error.strerror or error}",
        subject=file,
        help="the receiver reads every module of the packages in HABANERO_MODULES",
    )

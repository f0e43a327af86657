"""The app's sources at one moment, read once: what is tested is, byte for byte, what is built and signed.

It reads and digests; it knows neither events nor releases. Which file is which module is decided by the code that
decides it on the server (`habanero_receiver.journal.base`). The rules it upholds: a save costs the reading of what it
changed, not of the tree; an unchanged stat signature counts as unchanged content only when it is old enough to be
believed; and no symbolic link, pipe or device is ever opened.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from habanero_receiver.journal import base
from habanero_receiver.release.limits import DEFAULT_LIMITS, Limits

from .errors import ToolError
from .gitignore import GitIgnore
from .project import Project

_RACY_NS = 50_000_000
"""A file that was read this soon after its last change may have changed again within the clock tick of its times."""
_MANY = 32
"""From so many touched files on, the tree is compared: events may have been lost among them."""
_READS = 3


@dataclass(frozen=True, slots=True)
class Module:
    """One module with its text. `path` is below the source root, `shown` is what a person reads."""

    name: str
    package: bool
    path: str
    file: Path
    sha256: str
    size: int
    source: bytes = field(repr=False)
    shown: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All modules by name. Two are the same when their digests are."""

    modules: Mapping[str, Module]

    @property
    def digest(self) -> str:
        """What a server that has these sources would call its base: "sha256:<hex>"."""
        return base.fingerprint(self.modules)

    def changes(self, older: Snapshot) -> Iterator[tuple[Module | None, Module | None]]:
        """(now, before) of each module that differs from `older`; None where it does not exist."""
        if self.modules is older.modules:
            return
        for name, now in self.modules.items():
            before = older.modules.get(name)
            if not _same(now, before):
                yield now, before
        for name, before in older.modules.items():
            if name not in self.modules:
                yield None, before

    def since(self, older: Snapshot) -> tuple[str, ...]:
        """The shown paths of modules that were added, changed or removed since `older`, sorted."""
        return tuple(sorted({m.shown for pair in self.changes(older) for m in pair if m is not None}))


class _Read(NamedTuple):
    """A module as it was last read, and what stat said of its file at that time."""

    signature: tuple[int, ...]
    believable: bool
    module: Module


class Sources:
    """Reads a project's modules, and again only what changed. Safe to call from several threads."""

    def __init__(self, project: Project, limits: Limits = DEFAULT_LIMITS) -> None:
        self.project = project
        self._limits = limits
        self._cache_lock = threading.Lock()  # guards all below
        self._ignore = GitIgnore(project.root)
        self._cache: dict[str, _Read] = {}
        self._by_file: dict[str, str] = {}
        self._snapshot = Snapshot({})

    def scan(self) -> Snapshot:
        """Compares the whole tree with what was read before, by stat, and reads what differs.

        Raises ToolError when a source cannot be read or is beyond the limits, StoreError when the tree changes under
        the scan.
        """
        with self._cache_lock:
            return self._scan()

    def update(self, touched: Collection[str]) -> Snapshot:
        """The sources after a change of the files `touched` (absolute paths), which are read whatever stat says.

        When modules came or went, or many changed, the tree is compared too.
        """
        with self._cache_lock:
            if any(os.path.basename(path) == ".gitignore" for path in touched):  # noqa: PTH119  # paths of events
                self._ignore.forget()
            for path in touched:
                if path in self._by_file:
                    self._cache.pop(self._by_file[path], None)
            if len(touched) > _MANY or not all(path in self._by_file and _is_regular(path) for path in touched):
                return self._scan()
            fresh = {}
            for path in touched:
                old = self._snapshot.modules[self._by_file[path]]
                read = self._read(old.name, old.package, old.path)
                if read is None:
                    return self._scan()
                self._cache[old.name] = read
                if not _same(read.module, old):
                    fresh[old.name] = read.module
            if fresh:
                self._snapshot = Snapshot(MappingProxyType({**self._snapshot.modules, **fresh}))
            return self._snapshot

    def has_file(self, path: str) -> bool:
        """Whether this absolute path is a module's, as of the last reading."""
        return path in self._by_file

    def left_alone(self, paths: Collection[str]) -> frozenset[str]:
        """Those of `paths` (below the source root, as the server names them) that git ignores here.

        They are in no snapshot; that must not read as a deletion.
        """
        with self._cache_lock:
            files = {str(self.project.source_root / path): path for path in paths}
            return frozenset(files[file] for file in self._ignore.among(files))

    def _scan(self) -> Snapshot:
        """Caller holds the lock."""
        root = self.project.source_root
        listed = base.find_modules(root, self.project.top_level)
        found = {str(root / path): (name, package, path) for name, package, path in listed}
        ignored = self._ignore.among(found)
        cache = {}
        for file, (name, package, path) in found.items():
            if file in ignored:
                continue
            read = self._unchanged(name, file, package) or self._read(name, package, path)
            if read is not None:
                cache[name] = read
        if len(cache) > self._limits.max_modules:
            raise ToolError(
                "too-many-modules",
                f"{len(cache)} modules are watched and a release can name {self._limits.max_modules}",
                subject=", ".join(self.project.top_level),
                help="watch fewer packages",
            )
        self._cache = cache
        self._by_file = {str(read.module.file): name for name, read in cache.items()}
        new = Snapshot(MappingProxyType({name: read.module for name, read in cache.items()}))
        if any(True for _ in new.changes(self._snapshot)):
            self._snapshot = new
        return self._snapshot

    def _unchanged(self, name: str, file: str, package: bool) -> _Read | None:
        read = self._cache.get(name)
        if read is None or not read.believable or read.module.package != package or str(read.module.file) != file:
            return None
        try:
            status = os.lstat(file)
        except OSError:
            return None
        return read if _signature(status) == read.signature else None

    def _read(self, name: str, package: bool, path: str) -> _Read | None:
        """The file as it is now; None when it has gone or is not a regular file."""
        file = self.project.source_root / path
        shown = self.project.shown(path)
        try:
            data, status, read_ns = _read_whole(file, self._limits.max_blob_bytes + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if file.is_symlink() or not file.is_file():
                return None
            raise ToolError(
                "source-unreadable",
                f"{shown} could not be read: {error.strerror or error}; nothing was built or sent",
                subject=shown,
                help="make it readable for you",
            ) from error
        if data is None:
            return None
        if len(data) > self._limits.max_blob_bytes:
            raise ToolError(
                "blob-size",
                f"{shown} has more than {self._limits.max_blob_bytes} bytes, too many for a release",
                subject=shown,
                help="move the data that it holds into a file of its own",
            )
        digest = hashlib.sha256(data).hexdigest()
        newest = max(status.st_mtime_ns, status.st_ctime_ns)
        module = Module(name, package, path, file, digest, len(data), data, shown)
        return _Read(_signature(status), read_ns - newest > _RACY_NS, module)


def _same(new: Module, old: Module | None) -> bool:
    return old is not None and (new.sha256, new.path, new.package) == (old.sha256, old.path, old.package)


def _signature(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_mode)


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _read_whole(file: Path, max_bytes: int) -> tuple[bytes | None, os.stat_result, int]:
    """The content, the stat that belongs to it, and the wall clock before the read; None for what is no regular file.

    A file that changes under the read is read again; when it goes on changing, the change's event will bring us back.
    """
    # O_NONBLOCK: a named pipe put in the file's place must not stop us before fstat can say what it is.
    handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb", buffering=0) as stream:
        for _ in range(_READS):
            read_ns = time.time_ns()
            before = os.fstat(handle)
            if not stat.S_ISREG(before.st_mode):
                return None, before, read_ns
            stream.seek(0)
            data = _read_up_to(handle, max_bytes)
            after = os.fstat(handle)
            if _signature(before) == _signature(after):
                break
        return data, after, read_ns


def _read_up_to(handle: int, max_bytes: int) -> bytes:
    parts = []
    while max_bytes > 0 and (part := os.read(handle, min(max_bytes, 1 << 20))):
        parts.append(part)
        max_bytes -= len(part)
    return b"".join(parts)

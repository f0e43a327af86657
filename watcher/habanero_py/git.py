"""What git knows: the commit that a push was made from, and which versions of a file a tree has seen.

A project without git, or a machine without it, has no answers, and that is no error. It never writes. The rule it
upholds: a save costs no git process; what HEAD holds is asked once and again only when HEAD has moved.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

TIMEOUT_S = 5.0
MAX_VERSIONS = 200
Stamp = tuple[tuple[int, int] | None, ...]


class Repository:
    """The git working tree around a project. `watched` are folders and files relative to `root`."""

    def __init__(self, root: Path, watched: tuple[str, ...]) -> None:
        self._root = root
        self._watched = watched
        # HEAD names the branch, its log gets a line whenever the commit under it changes.
        listed = _run(root, "rev-parse", "--git-path", "HEAD", "--git-path", "logs/HEAD")
        self._marks = [root / line for line in (listed or b"").decode().splitlines()]
        self._stamp: Stamp | None = None
        self._head: str | None = None
        self._committed: Mapping[str, str] = {}
        self._hashes: dict[str, str] = {}

    def describe(self, sources: Mapping[str, tuple[str, bytes]]) -> str | None:
        """The commit, with "+dirty" when `sources` are not what it holds. `sources`: file -> (sha256, bytes)."""
        self._refresh()
        if self._head is None:
            return None
        dirty = self._committed.keys() != sources.keys() or any(
            self._committed[file] != self._blob_name(sha256, data) for file, (sha256, data) in sources.items()
        )
        return self._head + ("+dirty" if dirty else "")

    def contains(self, file: str, sha256: str) -> bool:
        """Whether a version of `file` with this digest is in the history of HEAD."""
        return any(hashlib.sha256(data).hexdigest() == sha256 for data in self._versions(file))

    def sources(self) -> Mapping[str, bytes] | None:
        """The Python files of HEAD under the watched paths, by path relative to the project; None without a commit."""
        self._refresh()
        if self._head is None:
            return None
        names = "".join(f"{name}\n" for name in self._committed.values()).encode()
        output = _run(self._root, "cat-file", "--batch", given=names)
        return None if output is None else dict(zip(self._committed, _batch(output), strict=False))

    def _refresh(self) -> None:
        stamp = tuple(_stamp(path) for path in self._marks)
        if stamp == self._stamp and None not in stamp:
            return
        head = _run(self._root, "rev-parse", "--verify", "--quiet", "HEAD")
        self._head = head.decode().strip() if head else None
        self._committed = _committed(self._root, self._watched) if head else {}
        self._stamp = stamp

    def _blob_name(self, sha256: str, data: bytes) -> str:
        """Git's own name of these bytes."""
        if sha256 not in self._hashes:
            name = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False)
            self._hashes[sha256] = name.hexdigest()
        return self._hashes[sha256]

    def _versions(self, file: str) -> Iterator[bytes]:
        commits = _run(self._root, "log", "--format=%H", f"--max-count={MAX_VERSIONS}", "--", file)
        for name in _text(commits).split():
            data = _run(self._root, "cat-file", "blob", f"{name}:./{file}")
            if data is not None:
                yield data


def _committed(root: Path, watched: tuple[str, ...]) -> dict[str, str]:
    """The Python files of HEAD under the watched paths -> git's names of their content."""
    listed = _run(root, "ls-tree", "-r", "-z", "HEAD", "--", *(watched or (".",)))
    found = {}
    for line in _text(listed).split("\0"):
        facts, _, file = line.partition("\t")
        if file.endswith(".py"):
            found[file] = facts.rpartition(" ")[2]
    return found


def _batch(output: bytes) -> Iterator[bytes]:
    """The contents in what `cat-file --batch` says: a line of name, kind and size, the bytes, a newline."""
    at = 0
    while at < len(output):
        end = output.index(b"\n", at)
        size = int(output[at:end].split()[-1])
        yield output[end + 1 : end + 1 + size]
        at = end + size + 2


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _text(output: bytes | None) -> str:
    return (output or b"").decode("utf-8", "surrogateescape")


def _run(root: Path, *words: str, given: bytes | None = None) -> bytes | None:
    """Standard output, or None when git is missing, slow or says no."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words],
            input=given if given is not None else b"",
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None

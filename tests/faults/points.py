"""Fault points of a process, found by counting: each call by which it touches the watched folders is one.

What it does: wraps, from outside, the calls of the operating system (open, write, fsync, link, replace, unlink, mkdir,
list), and the steps that a swap walks. The test sets a trap to the k-th call from now; there the process kills itself,
or the call fails with an error number. Of a write, half is done first. What it does not: the product has no hook for
it, and no point is named: a run with k = 1, 2, 3… until one comes through has seen them all.
"""

from __future__ import annotations

import builtins
import io
import mmap
import os
import signal
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

KILL = 0
"""The kind of fault that is no error number: SIGKILL."""
_LAYOUT = struct.Struct("<qq64s")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_FIRST_PATH = ("link", "replace", "rename", "unlink", "remove", "mkdir", "rmdir")
_REAL_OPEN, _REAL_OS_OPEN = io.open, os.open


class Trap:
    """Set by the test, sprung in the process under test: some bytes of a file that both have mapped."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_LAYOUT.size))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _LAYOUT.size)
        self._counting_lock = threading.Lock()

    def arm(self, at: int, kind: int) -> None:
        """Fail the `at`-th point from now on, once."""
        _LAYOUT.pack_into(self._shared, 0, at, kind, b"")

    def disarm(self) -> str:
        """Take the trap away; gives the name of the point that it was sprung at, or an empty string."""
        name = self.fired
        self.arm(0, KILL)
        return name

    @property
    def fired(self) -> str:
        """The name of the point, or an empty string."""
        name: bytes = _LAYOUT.unpack_from(self._shared, 0)[2]
        return name.rstrip(b"\0").decode()

    @property
    def kind(self) -> int:
        """What it is set to."""
        kind: int = _LAYOUT.unpack_from(self._shared, 0)[1]
        return kind

    def hit(self, name: str, *, reads: bool = False, step: bool = False, halfway: Callable[[], object] | None = None):
        """Pass a point. A read does not find the disk full, and a step is no call that could fail: neither counts."""
        with self._counting_lock:
            left, kind, _ = _LAYOUT.unpack_from(self._shared, 0)
            if left <= 0 or (step and kind != KILL) or (reads and kind not in (KILL, 5)):
                return
            _LAYOUT.pack_into(self._shared, 0, left - 1, kind, name.encode()[:64] if left == 1 else b"")
        if left == 1:
            if halfway is not None:
                halfway()
            if kind == KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(kind, os.strerror(kind))


def install(trap: Trap, folders: tuple[Path, ...]) -> None:
    """Wrap the calls of this process for good. It is one that only serves a test."""
    watched = _Watched(folders)
    fsync, scandir = os.fsync, os.scandir

    def counted_fsync(handle: int) -> None:
        trap.hit("fsync")
        fsync(handle)

    def counted_scandir(path: Any = ".") -> Any:
        if path in watched:
            trap.hit("list", reads=True)
        return scandir(path)

    os.fsync, os.scandir = counted_fsync, counted_scandir
    for name in _FIRST_PATH:
        setattr(os, name, _counted(trap, watched, name, getattr(os, name)))
    os.open = _os_open(trap, watched)
    io.open = builtins.open = _io_open(trap, watched)
    _steps(trap)


class _Watched:
    """The folders whose files count."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self._folders = tuple(f"{folder}/" for folder in folders)

    def __contains__(self, path: object) -> bool:
        if isinstance(path, int):
            try:
                path = os.readlink(f"/proc/self/fd/{path}")
            except OSError:
                return False
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self._folders)


def _counted(trap: Trap, watched: _Watched, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def counted(path: Any, *rest: Any, **named: Any) -> Any:
        if path in watched:
            trap.hit(name)
        return call(path, *rest, **named)

    return counted


def _os_open(trap: Trap, watched: _Watched) -> Callable[..., int]:
    def counted(path: Any, flags: int, *rest: Any, **named: Any) -> int:
        if path in watched:
            if flags & _WRITING:
                trap.hit("open to write")
            elif os.path.lexists(path):  # looking whether there is news is not a point: it happens all the time
                trap.hit("open to read", reads=True)
        return _REAL_OS_OPEN(path, flags, *rest, **named)

    return counted


def _io_open(trap: Trap, watched: _Watched) -> Callable[..., Any]:
    def counted(file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **named: Any) -> Any:
        if file not in watched:
            return _REAL_OPEN(file, mode, buffering, *rest, **named)
        if set(mode) & set("wxa+"):
            if not isinstance(file, int):
                trap.hit("open to write")
            if "b" in mode:
                torn = _Torn(file, mode.replace("b", ""), trap)
                return torn if buffering == 0 else io.BufferedWriter(torn)
        elif not isinstance(file, int) and os.path.lexists(file):
            trap.hit("open to read", reads=True)
        return _REAL_OPEN(file, mode, buffering, *rest, **named)

    return counted


class _Torn(io.FileIO):
    """A file whose writes are points; the one that is sprung gets half of its bytes to the disk."""

    def __init__(self, file: Any, mode: str, trap: Trap) -> None:
        super().__init__(file, mode)
        self._trap = trap

    def write(self, data: Any) -> int | None:
        half = memoryview(data)[: len(data) // 2]
        self._trap.hit("write", halfway=lambda: super(_Torn, self).write(half))
        return super().write(data)


def _steps(trap: Trap) -> None:
    """Count the steps of a swap, and what a start does to the importer. The local copy is made at once."""
    from habanero_receiver import overlay
    from habanero_receiver.fleet import apply, keeping

    def step(row: apply.Step) -> apply.Step:
        def do(attempt: apply.Attempt) -> None:
            trap.hit(f"step {row.name}", step=True)
            row.do(attempt)

        return row._replace(do=do)

    for table in ("PUSH", "FOLLOW"):
        setattr(apply, table, tuple(map(step, getattr(apply, table))))
    for name in ("install", "replace"):
        setattr(overlay.Overlay, name, _before(trap, f"overlay {name}", getattr(overlay.Overlay, name)))
    keeping.QUIET_S = 0.0


def _before(trap: Trap, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*given: Any, **named: Any) -> Any:
        trap.hit(name, step=True)
        return call(*given, **named)

    return counted

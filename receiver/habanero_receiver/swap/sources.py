"""Keeps what tracebacks and inspect show in step with what runs, since the file on disk may hold another version."""

from __future__ import annotations

import linecache
from typing import Any

from .undo import UndoLog

_Entry = tuple[int, None, list[str], str]


def entry(filename: str, source: bytes) -> _Entry:
    """A line cache entry without a modification time: such entries are never checked against the disk."""
    text = decode(source)
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return len(text), None, lines, filename


def decode(source: bytes) -> str:
    """Source text as Python reads it: its own declared encoding, line ends made uniform."""
    import importlib.util

    return importlib.util.decode_source(source)


def show(log: UndoLog, filename: str, source: bytes) -> None:
    """From now on ``filename`` shows ``source``."""
    cache: dict[str, Any] = linecache.cache
    log.set_item(cache, filename, entry(filename, source))

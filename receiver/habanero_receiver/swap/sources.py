"""Keeps what tracebacks and inspect show in step with what runs, since the file on disk may hold another version."""

from __future__ import annotations

import io
import linecache
from importlib.util import decode_source
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .undo import UndoLog

LineCacheEntry = tuple[int, None, list[str], str]


def line_cache_entry(filename: str, source: bytes) -> LineCacheEntry:
    """What `linecache` keeps for a file; without a modification time it is never checked against the disk.

    Lines are counted as Python's reader does: a form feed inside of one does not end it.
    """
    lines = io.StringIO(decode_source(source)).readlines()
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return len(source), None, lines, filename


def show(log: UndoLog, entry: LineCacheEntry) -> None:
    """From now on the entry's file shows the entry's lines."""
    cache: dict[str, Any] = linecache.cache
    log.set_item(cache, entry[3], entry)

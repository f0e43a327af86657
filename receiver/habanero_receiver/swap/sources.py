"""Keeps what tracebacks and inspect show in step with what runs, since the file on disk may hold another version."""

from __future__ import annotations

import io
import linecache
from contextlib import suppress
from importlib.util import decode_source
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .undo import UndoLog

LineCacheEntry = tuple[int, None, list[str], str]
_LINES = 2


def line_cache_entry(filename: str, source: bytes) -> LineCacheEntry:
    """What `linecache` keeps for a file; without a modification time it is never checked against the disk.

    Lines are counted as Python's reader does: a form feed inside of one does not end it.
    """
    return len(source), None, _lines(source), filename


class UnreadLines(tuple[int, None, list[str], str]):
    """An entry of `linecache` whose lines are read when first looked at; none when the source cannot be read then.

    Most modules are never in a traceback. `linecache`'s own late entries will not do: it fills them from the disk.
    """

    _source: Callable[[], bytes]

    @classmethod
    def of(cls, filename: str, size: int, source: Callable[[], bytes]) -> UnreadLines:
        """The entry of a file; `source` gives its text."""
        entry = cls((size, None, [], filename))
        entry._source = source
        return entry

    def __getitem__(self, index: Any) -> Any:
        """As a tuple's, with the lines read at last."""
        found: Any = tuple.__getitem__(self, index)
        if index == _LINES and not found:
            with suppress(Exception):  # whoever shows a traceback must not fail for want of its lines
                found.extend(_lines(self._source()))
        return found


def _lines(source: bytes) -> list[str]:
    lines = io.StringIO(decode_source(source)).readlines()
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return lines


def show(log: UndoLog, entry: LineCacheEntry) -> None:
    """From now on the entry's file shows the entry's lines."""
    cache: dict[str, Any] = linecache.cache
    log.set_item(cache, entry[3], entry)

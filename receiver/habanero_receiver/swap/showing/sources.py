"""Keeps what tracebacks and inspect show in step with what runs, since the file on disk may hold another version."""

from __future__ import annotations

import io
import linecache
from importlib.util import decode_source
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from habanero_receiver.swap.image import ModuleImage
    from habanero_receiver.swap.undo import UndoLog

LineCacheEntry = tuple[int, None, list[str], str]
_LINES = 2


def line_cache_entry(filename: str, source: bytes) -> LineCacheEntry:
    """What `linecache` keeps for a file; without a modification time it is never checked against the disk.

    Lines are counted as Python's reader does: a form feed inside of one does not end it.
    """
    return len(source), None, _lines(source), filename


class UnreadLines(tuple[int, None, Any, str]):
    """An entry of `linecache` whose lines are read when first looked at; none when the source cannot be read then.

    Most modules are never in a traceback, so until then the module's image stands in the place of the lines.
    `linecache`'s own late entries will not do: it fills them from the disk.
    """

    @classmethod
    def of(cls, image: ModuleImage) -> UnreadLines:
        """The entry of a module's file."""
        return cls((image.source_size, None, image, image.filename))

    def __getitem__(self, index: Any) -> Any:
        """As a tuple's, with the lines read at last, and the entry of those put in the place of this one."""
        found: Any = tuple.__getitem__(self, index)
        if index != _LINES:
            return found
        try:
            entry = line_cache_entry(found.filename, found.source)
        except Exception:  # whoever shows a traceback must not fail for want of its lines
            return []
        cache: dict[str, Any] = linecache.cache
        if cache.get(found.filename) is self:
            cache[found.filename] = entry
        return entry[_LINES]


def _lines(source: bytes) -> list[str]:
    lines = io.StringIO(decode_source(source)).readlines()
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return lines


def show(log: UndoLog, entry: LineCacheEntry) -> None:
    """From now on the entry's file shows the entry's lines."""
    cache: dict[str, Any] = linecache.cache
    log.set_item(cache, entry[3], entry)

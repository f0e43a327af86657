"""Whether the `.pyc` that Python takes for a deployed source holds that source's code.

    what Python goes by                      when it is wrong
    the source's size and second             it was changed within a second, or its time was set back
    the source's digest, checked             never
    the source's digest, not checked         whenever the source was changed alone

What it does: reads the `.pyc`, decides as Python's importer does whether it would be taken, and compares its code with
what the source compiles to. What it does not: it changes nothing, and cannot say what a process has loaded; a `.pyc`
that was wrong at the import and is gone by now leaves no trace here. It unmarshals what Python would, of the app's own
disk, and nothing that came over a network.

The rule it upholds: sources name a base, so code that is not of its source is to be found out.
"""

from __future__ import annotations

import _imp
import importlib.util
import marshal
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

_HEADER_BYTES = 16
_BY_DIGEST, _CHECKED = 1, 2


def foreign(file: Path) -> Path | None:
    """The `.pyc` that Python takes for a source file and that is of other code than the file; None without one."""
    try:
        cached = Path(importlib.util.cache_from_source(str(file)))
        data, source, now = cached.read_bytes(), file.read_bytes(), file.stat()
    except (OSError, NotImplementedError):  # there is none, or this Python keeps none
        return None
    taken = _taken(data[:_HEADER_BYTES], now)
    return cached if taken and not _same(data[_HEADER_BYTES:], source, str(file)) else None


def _taken(header: bytes, now: os.stat_result) -> bool:
    """Whether Python would run it without a look into the source."""
    if len(header) < _HEADER_BYTES or header[:4] != importlib.util.MAGIC_NUMBER:
        return False
    flags, second, size = (int.from_bytes(header[at : at + 4], "little") for at in (4, 8, 12))
    if flags & _BY_DIGEST:
        always = {"always": True, "never": False}.get(_imp.check_hash_based_pycs, bool(flags & _CHECKED))
        return not always
    return (second, size) == (int(now.st_mtime) & 0xFFFFFFFF, now.st_size & 0xFFFFFFFF)


def _same(data: bytes, source: bytes, file: str) -> bool:
    try:
        held = marshal.loads(data)  # noqa: S302  # Python itself does, at the next import
        return bool(_bare(held) == _bare(compile(source, file, "exec", dont_inherit=True)))
    except (EOFError, ValueError, TypeError, SyntaxError, AttributeError):  # the last: it is no code
        return False


def _bare(code: CodeType) -> CodeType:
    """Without its table of columns, which depends on how Python was started (`-X no_debug_ranges`), in all depths."""
    inner = tuple(_bare(constant) if isinstance(constant, CodeType) else constant for constant in code.co_consts)
    return code.replace(co_linetable=b"", co_consts=inner)

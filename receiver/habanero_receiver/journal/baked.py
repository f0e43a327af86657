"""The fingerprint of a base, written down when an image is built, so that its starts need not read every source.

What it does: writes each module's size, time of change and digest to a file; gives the base back from it as long as
the very same modules lie there, each with that size and time. What it does not: it believes the file's word about
anything that it can see itself; the base's digest is computed anew from what is in it.

The rule it upholds: what Python itself takes as proof that a .pyc belongs to its source, a bit more strictly: size and
nanoseconds, or whole seconds where an image's layers keep no more. Any difference, and the sources are read. A file
that was changed with its size and time kept is found out when the receiver starts to serve, which reads every source.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from habanero_receiver.journal.base import Base, SourceFile, find_modules, fingerprint

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

VERSION = 1
MAX_BYTES = 64 * 1024 * 1024
_SECOND = 1_000_000_000
_DAY_NS = 86_400 * _SECOND
_HEX = re.compile(r"[0-9a-f]{64}")


def write(base: Base, file: Path) -> None:
    """Write a base down. OSError when the file or a source is not to be had, ConflictError for one that changes now."""
    modules = {}
    for name, module in base.modules.items():
        mtime_ns = module.file.stat().st_mtime_ns
        base.source(name)  # after its time was taken: no later change can hide behind that
        modules[name] = [module.package, module.path, module.sha256, module.size, mtime_ns]
    text = json.dumps({"version": VERSION, "base": base.digest, "modules": modules}, sort_keys=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(file)


def read(file: Path, root: Path, top_level: Collection[str]) -> Base | str:
    """The base in `root` by what was written down, or why it cannot be told by that.

    StoreError `base-unreadable` when a folder of the sources cannot be listed.
    """
    try:
        with file.open("rb") as opened:
            written = json.loads(opened.read(MAX_BYTES))
        noted = written["modules"] if written["version"] == VERSION else {}
        found = {name: (package, path) for name, package, path in find_modules(root, top_level)}
        if found.keys() != noted.keys():
            return "other modules lie there"
        modules = {name: _checked(str(root), name, *found[name], noted[name]) for name in found}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return f"it cannot be read: {error}"
    other = next((name for name, module in modules.items() if module is None), None)
    if other is not None:
        return f"{other} is another file by now"
    same = {name: module for name, module in modules.items() if module is not None}
    return Base(root, same, fingerprint(same))


def _checked(root: str, name: str, package: bool, path: str, noted: list[object]) -> SourceFile | None:
    """The module as it was noted, if the file there can still be taken for it."""
    was_package, was_path, sha256, size, mtime_ns = noted
    file = f"{root}/{path}"
    now = os.stat(file)  # noqa: PTH116  # text in: making a Path of each costs more
    if not isinstance(sha256, str) or not isinstance(size, int) or not isinstance(mtime_ns, int):
        return None
    same_time = now.st_mtime_ns in (mtime_ns, mtime_ns // _SECOND * _SECOND)
    # A time near the epoch is that of a tool that gives every file the same: it says nothing.
    if not same_time or mtime_ns < _DAY_NS or now.st_size != size or not _HEX.fullmatch(sha256):
        return None
    if (was_package, was_path) != (package, path):
        return None
    return SourceFile(name, package, path, root, sha256, size)

"""Adds tables to pyproject.toml by appending: what a person wrote stays byte for byte.

No TOML writer is needed for that, and none can reorder a file or lose a comment. The rule it upholds: the new text
is parsed before it is written, and must mean the old document plus exactly the new values.
"""

from __future__ import annotations

import copy
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

from habanero_receiver.errors import ConfigError

Tables = Mapping[tuple[str, ...], Mapping[str, object]]
"""Dotted path of a table -> its settings: text, true/false, and lists of text."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def appended(text: str, tables: Tables) -> str:
    """`text` with `tables` after it. ConfigError bad-toml when the file's form does not allow that."""
    end = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text else end if text.endswith("\n") else end * 2
    blocks = [end.join(_block(path, values)) for path, values in tables.items()]
    new = text + gap + (end * 2).join(blocks) + end
    try:
        if tomllib.loads(new) == _merged(tomllib.loads(text), tables):
            return new
    except (tomllib.TOMLDecodeError, AttributeError, TypeError):
        pass  # a table that was closed, written inline, or is no table: one answer for all of them
    raise ConfigError(
        "bad-toml",
        "pyproject.toml writes [tool.habanero] in a form that cannot be added to; it was left as it is",
        subject="pyproject.toml",
        help="write it as a table of its own, [tool.habanero], and each target as [tool.habanero.targets.NAME]",
    )


def replace_text(path: Path, text: str) -> None:
    """The new text in the file's place at once; a link is followed, the file's mode is kept."""
    path = path.resolve()
    mode = path.stat().st_mode & 0o7777 if path.exists() else 0o644
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".pyproject-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _merged(document: dict[str, object], tables: Tables) -> dict[str, object]:
    result = copy.deepcopy(document)
    for path, values in tables.items():
        table = result
        for part in path:
            table = table.setdefault(part, {})  # type: ignore[assignment]  # a TypeError if it is no table
        table.update(values)
    return result


def _block(path: tuple[str, ...], values: Mapping[str, object]) -> list[str]:
    header = ".".join(_key(part) for part in path)
    return [f"[{header}]", *(f"{_key(key)} = {_value(value)}" for key, value in values.items())]


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'

"""What judging must never do, whatever it is given: said by the interpreter itself, through its audit events."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

FORBIDDEN = (
    "marshal.", "exec", "import", "compile", "open", "os.", "socket.", "subprocess.", "pickle.", "code.", "ctypes.",
    "shutil.", "tempfile.", "urllib.", "sqlite3.",
)  # fmt: skip
_heard: list[list[str]] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _heard and event.startswith(FORBIDDEN):
        _heard[-1].append(event)


def install() -> None:
    """Listen from now on, for the life of the process; nothing is heard outside of `watched`."""
    sys.addaudithook(_hook)


@contextmanager
def watched() -> Iterator[list[str]]:
    """The forbidden events of the block."""
    events: list[str] = []
    _heard.append(events)
    try:
        yield events
    finally:
        _heard.pop()

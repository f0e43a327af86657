"""Readers of the event stream: a live terminal, plain lines, JSON."""

from __future__ import annotations

import sys

from habanero_py.events import Reader

from .jsonl import JsonReader
from .line import LineReader
from .text import symbols_for

__all__ = ["JsonReader", "LineReader", "open_reader"]


def open_reader(target: str, *, as_json: bool) -> Reader:
    """The reader that fits where stdout goes. FORCE_COLOR does not make a pipe a terminal."""
    if as_json:
        return JsonReader(sys.stdout)
    if not sys.stdout.isatty():
        return LineReader(sys.stdout, sys.stderr, target, symbols_for(sys.stdout.encoding))
    from rich.console import Console

    from .live import LiveReader

    console = Console(highlight=False, soft_wrap=True)
    return LiveReader(console, target, symbols_for(sys.stdout.encoding))

"""Watches every way from bytes to meaning in this process: who unmarshals, runs, compiles, imports or parses what.

Used in the test's own process, and in processes that boot, where it is installed before anything of ours is imported.
"""

from __future__ import annotations

import ast
import bz2
import gzip
import importlib
import json
import lzma
import pickle
import sys
import tomllib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

TAINT = "tainted"
"""Stands in everything of an attack that must not be looked into."""

_AUDITED = ("marshal.", "exec", "compile", "import", "pickle.", "code.", "object.__getattr__")
_PARSERS: tuple[tuple[Any, str], ...] = (
    (ast, "parse"), (zlib, "decompress"), (zlib, "decompressobj"), (gzip, "decompress"), (bz2, "decompress"),
    (lzma, "decompress"), (pickle, "loads"), (tomllib, "loads"),
)  # fmt: skip
_active: list[Seen] = []


@dataclass
class Seen:
    """What got which text, as (who, text)."""

    reached: list[tuple[str, str]] = field(default_factory=list)
    strict: list[str] = field(default_factory=list)
    """What the strict decoder read: envelopes, statements, manifests."""

    def note(self, who: str, values: Any) -> None:
        self.reached += [(who, text) for value in values for text in _texts(value)]

    @property
    def tainted(self) -> list[str]:
        """Who got something that must not be looked into, the strict decoder included."""
        found = [who for who, text in self.reached if TAINT in text]
        return found + ["the strict decoder" for text in self.strict if TAINT in text]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (bytes, bytearray, memoryview)):
        yield bytes(value).decode("latin-1")
    elif isinstance(value, CodeType):
        yield f"{value.co_filename} {value.co_name} {value.co_names} {value.co_consts!r}"


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _active and event.startswith(_AUDITED):
        _active[-1].note(event, arguments)


def _watch_parser(module: Any, name: str) -> None:
    real = getattr(module, name)

    def watched(*values: Any, **options: Any) -> Any:
        if _active:
            _active[-1].note(f"{module.__name__}.{name}", values)
        return real(*values, **options)

    setattr(module, name, watched)


def _watch_json() -> None:
    decode = json.JSONDecoder.decode

    def watched(decoder: Any, text: Any, *more: Any) -> Any:
        if _active:
            strict = importlib.import_module("habanero_receiver.release.strictjson")
            if decoder is strict._DECODER:
                _watch_manifests()
                _active[-1].strict.append(text)
            else:
                _active[-1].note("json", [text])
        return decode(decoder, text, *more)

    json.JSONDecoder.decode = watched  # type: ignore[method-assign]


def _watch_manifests() -> None:
    """Of which those that stand as they were written are read without the decoder; an envelope is read before any."""
    manifest = importlib.import_module("habanero_receiver.release.manifest")
    real = manifest._as_written
    if real.__name__ == "watched":
        return

    def watched(data: bytes) -> Any:
        entries = real(data)
        if _active and entries is not None:
            _active[-1].strict.append(data.decode())
        return entries

    manifest._as_written = watched  # type: ignore[attr-defined]


def install() -> None:
    """Watch from now on, once for the life of the process; nothing is noted outside of `seeing`."""
    if getattr(json.JSONDecoder.decode, "__name__", "") != "watched":
        sys.addaudithook(_hook)
        for module, name in _PARSERS:
            _watch_parser(module, name)
        _watch_json()


@contextmanager
def seeing() -> Iterator[Seen]:
    """What the block reaches."""
    seen = Seen()
    _active.append(seen)
    try:
        yield seen
    finally:
        _active.pop()

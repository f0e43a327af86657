"""The code of any release over a base, or of the base: which source each module has, and how two of them differ.

It reads through `Releases`, which checks what it gets, and asks for a source only when it is to be shown. The rule it
upholds: a release is the base with the release's overlay on it, here as on the server, so an overlay's entry that
says what the base says is no difference.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from habanero_py.client import MAX_ANSWER_BYTES
from habanero_py.compose import EMPTY_LINE, View
from habanero_py.releases import Releases
from habanero_py.server import Server
from habanero_receiver.release.names import expected_path

_EMPTY = hashlib.sha256().hexdigest()
_EMPTY_LINE = hashlib.sha256(EMPTY_LINE).hexdigest()


class Named(Protocol):
    """Something with the name of a module."""

    @property
    def name(self) -> str:
        """Its dotted name."""


@dataclass(frozen=True, slots=True)
class Source:
    """The source of one module: its path below the source root, its sha256, and the release that has its bytes.

    `seq` is 0 for what lies on the server's disk; its size is not known then.
    """

    path: str
    sha256: str
    seq: int
    size: int | None = None

    def same(self, other: Source | None) -> bool:
        """Whether both are the same code; a release holds an empty file as one empty line."""
        return other is not None and same_text(self.sha256, other.sha256) and self.path == other.path


Code = Mapping[str, Source]
"""Module name -> its source."""


def base_code(view: View) -> Code:
    """The code as deployed."""
    return {name: Source(module.path, module.sha256, 0) for name, module in view.base.items()}


def release_code(view: View, releases: Releases, seq: int) -> Code:
    """The code of release `seq`, 0 for the base. ConflictError `no-such-release` or `pruned`."""
    code = dict(base_code(view))
    if seq == 0:
        return code
    for name, entry in releases.overlay(releases.number(seq)).items():
        if entry is None:
            code.pop(name, None)
        else:
            code[name] = Source(expected_path(name, package=entry.package), entry.source.sha256, seq, entry.source.size)
    return code


def changes(old: Code, new: Code) -> Iterator[tuple[str, Source | None, Source | None]]:
    """(module, old, new) of all that differ, by name; None where one of them does not have it."""
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before is not None and before.same(after):
            continue
        yield name, before, after


def word(before: Source | None, after: Source | None) -> str:
    """What happened to a module, in one word."""
    return "added" if before is None else "deleted" if after is None else "changed"


def read(server: Server, releases: Releases, source: Source | None) -> bytes:
    """The bytes of a source; none for None. Errors as `release_code`, and `base-changed`."""
    if source is None:
        return b""
    if source.seq == 0:
        return server.base_source(source.sha256, MAX_ANSWER_BYTES)
    return releases.blob(source.seq, source.sha256, source.size or 0)


def unified(old: bytes, new: bytes, old_name: str, new_name: str) -> str:
    """A unified diff of two sources; bytes that are no UTF-8 are shown as Python escapes them."""
    before, after = _lines(old), _lines(new)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(before, after, old_name, new_name)
    )


def _lines(data: bytes) -> list[str]:
    """Lines that end at newlines alone, as a diff counts them: a form feed is not the end of one."""
    parts = data.decode("utf-8", "backslashreplace").split("\n")
    return [f"{part}\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def same_text(one: str, other: str | None) -> bool:
    """Whether two digests name the same code."""
    return one == other or {one, other} == {_EMPTY, _EMPTY_LINE}

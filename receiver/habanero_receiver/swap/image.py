"""One version of one module as a swap takes it: what to run and what to show. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ModuleImage:
    """One version of one module.

    name      its dotted name
    package   whether it is a package's ``__init__``
    filename  its absolute path on this machine, as tracebacks show it; the file need not hold this version
    source    its source text, as bytes
    code      its code object, for imports, encoded (`habanero_receiver.swap.building`): bytes, or a view of them
    units     its units, for swaps, encoded likewise

    All of them verified by whoever made the image.
    """

    name: str
    package: bool
    filename: str
    source: bytes
    code: bytes | memoryview
    units: bytes

    def same_version(self, other: ModuleImage) -> bool:
        """Whether the two are the same code: sources decide, since equal sources can give unequal bytecode."""
        return self is other or (self.source == other.source and self.package == other.package)

    @property
    def source_size(self) -> int:
        """How many bytes the source has, without reading it."""
        return len(self.source)


class Unread(Protocol):
    """What of a module was not read yet. Each gives verified bytes; what it raises comes out of whoever asks."""

    @property
    def source_size(self) -> int:
        """How many bytes the source will have."""

    def source(self) -> bytes:
        """Read the source."""

    def units(self) -> bytes:
        """Read the units."""


class UnreadImage(ModuleImage):
    """A module of which only the code is there, which is all that a start needs; the rest is read when asked for.

    The source is kept then, since tracebacks ask again and again. The units are not: the engine keeps what it makes
    of them.
    """

    __slots__ = ("_source", "_unread")
    _source: bytes | None
    _unread: Unread

    def __init__(self, name: str, package: bool, filename: str, code: bytes | memoryview, unread: Unread) -> None:
        put = object.__setattr__
        put(self, "name", name)
        put(self, "package", package)
        put(self, "filename", filename)
        put(self, "code", code)
        put(self, "_unread", unread)
        put(self, "_source", None)

    @property
    def source(self) -> bytes:
        """The source text."""
        source = self._source
        if source is None:
            source = self._unread.source()
            object.__setattr__(self, "_source", source)
        return source

    @property
    def units(self) -> bytes:
        """The units."""
        return self._unread.units()

    @property
    def source_size(self) -> int:
        """See `ModuleImage.source_size`."""
        return self._unread.source_size

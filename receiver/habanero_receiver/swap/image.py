"""One version of one module as a swap takes it: what to run and what to show. Pure data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModuleImage:
    """One version of one module.

    name      its dotted name
    package   whether it is a package's ``__init__``
    filename  its absolute path on this machine, as tracebacks show it; the file need not hold this version
    source    its source text, as bytes
    code      its encoded build (`habanero_receiver.swap.building`), verified by whoever made the image: bytes, or a
              view of them
    """

    name: str
    package: bool
    filename: str
    source: bytes
    code: bytes | memoryview

    def same_version(self, other: ModuleImage) -> bool:
        """Whether the two are the same code: sources decide, since equal sources can give unequal bytecode."""
        return self.source == other.source and self.package == other.package

    @property
    def source_size(self) -> int:
        """How many bytes the source has, without reading it."""
        return len(self.source)


class UnreadImage(ModuleImage):
    """A module whose source is read when first asked for: a process that boots needs none of it.

    `read` gives the source, verified; what it raises comes out of whatever asked for the source.
    """

    __slots__ = ("_read", "_size", "_source")
    _read: Callable[[], bytes]
    _size: int
    _source: bytes | None

    def __init__(
        self, name: str, package: bool, filename: str, code: bytes | memoryview, size: int, read: Callable[[], bytes]
    ) -> None:
        values = {"name": name, "package": package, "filename": filename, "code": code}
        for field, value in {**values, "_size": size, "_read": read, "_source": None}.items():
            object.__setattr__(self, field, value)

    @property
    def source(self) -> bytes:
        """The source text."""
        source = self._source
        if source is None:
            source = self._read()
            object.__setattr__(self, "_source", source)
        return source

    @property
    def source_size(self) -> int:
        """See `ModuleImage.source_size`."""
        return self._size

"""One version of one module as a swap takes it: what to run and what to show. Pure data.

A start makes one of these for every module of a release, so the classes are plain ones: a dataclass costs as much to
define as a thousand images to make. The rule they uphold: nobody changes an image once it is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Protocol

    class Unread(Protocol):
        """What of the modules of one release was not read yet, by module name.

        Each gives verified bytes; what it raises comes out of whoever asks.
        """

        def source_size(self, name: str) -> int:
            """How many bytes the source will have."""

        def source(self, name: str) -> bytes:
            """Read the source."""

        def units(self, name: str) -> bytes:
            """Read the units."""


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

    __slots__ = ("code", "filename", "name", "package", "source", "units")

    def __init__(
        self, name: str, package: bool, filename: str, source: bytes, code: bytes | memoryview, units: bytes
    ) -> None:
        self.name = name
        self.package = package
        self.filename = filename
        self.source = source
        self.code = code
        self.units = units

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.filename!r})"

    def same_version(self, other: ModuleImage) -> bool:
        """Whether the two are the same code: sources decide, since equal sources can give unequal bytecode."""
        return self is other or (self.source == other.source and self.package == other.package)

    @property
    def source_size(self) -> int:
        """How many bytes the source has, without reading it."""
        return len(self.source)


class UnreadImage(ModuleImage):
    """A module of which only the code is there, which is all that a start needs; the rest is read when asked for.

    The source is kept then, since tracebacks ask again and again. The units are not: the engine keeps what it makes
    of them.
    """

    __slots__ = ("_source", "_unread")

    def __init__(self, name: str, package: bool, filename: str, code: bytes | memoryview, unread: Unread) -> None:
        self.name = name
        self.package = package
        self.filename = filename
        self.code = code
        self._unread = unread
        self._source: bytes | None = None

    @property
    def source(self) -> bytes:  # type: ignore[override]  # read-only, as every image is to its users
        """The source text."""
        source = self._source
        if source is None:
            source = self._source = self._unread.source(self.name)
        return source

    @property
    def units(self) -> bytes:  # type: ignore[override]  # likewise
        """The units."""
        return self._unread.units(self.name)

    @property
    def source_size(self) -> int:
        """See `ModuleImage.source_size`."""
        return self._unread.source_size(self.name)

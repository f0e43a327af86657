"""One version of one module as a swap takes it: what to run and what to show. Pure data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModuleImage:
    """One version of one module.

    name      its dotted name
    package   whether it is a package's ``__init__``
    filename  its absolute path on this machine, as tracebacks show it; the file need not hold this version
    source    its source text, as bytes
    code      its encoded build (`habanero_receiver.swap.build`), verified by whoever made the image
    """

    name: str
    package: bool
    filename: str
    source: bytes
    code: bytes

    def same_version(self, other: ModuleImage) -> bool:
        """Whether the two are the same code: sources decide, since equal sources can give unequal bytecode."""
        return self.source == other.source and self.package == other.package

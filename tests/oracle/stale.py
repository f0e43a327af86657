"""Reads which bindings a swap's report names as stale. Pure.

An entry is a unit's name, and the reason in parentheses. What it names: ``RATE =``, ``a, b =``, ``LIMIT: `` and
``Shop.rate =`` the bindings; a bare name (``CODES``, ``show.mark``) that binding; ``make.<locals>.inner``, or that
``of`` another function, the closures written so; ``def f``, ``class C`` or a line nothing: none of these may be excused
as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from oracle.units import Path


def bindings(module: str, entry: str) -> Iterator[Path]:
    """The paths of the bindings that ``entry`` names."""
    what = entry.partition(" (")[0].partition("#")[0].rstrip(" =:")
    closure = what.partition(" of ")[0]
    if "<locals>" in closure:
        yield (module, closure)
        return
    *owners, names = what.split(".")
    for name in names.split(", "):
        if all(word.isidentifier() for word in (*owners, name)):
            yield (module, *(f".{word}" for word in (*owners, name)))
            if owners:  # of a function, or of an instance
                yield (module, *(f".{word}" for word in owners), f"->{name}")

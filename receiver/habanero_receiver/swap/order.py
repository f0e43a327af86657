"""The order in which modules take their changes: what is imported before what imports it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .building.units import Unit


def in_import_order(modules: Mapping[str, Sequence[Unit]]) -> Iterator[str]:
    """The names of ``modules``, given by their units; imported ones first; a circle is entered where it is met."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name in done:
            return
        done.add(name)
        for unit in modules[name]:
            for item in unit.imports:
                for target in (f"{item.module}.{item.name}", item.module):
                    if target in modules:
                        yield from visit(target)
        yield name

    for name in sorted(modules):
        yield from visit(name)

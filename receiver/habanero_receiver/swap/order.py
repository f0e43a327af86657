"""The order in which modules take their changes: what is imported before what imports it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .plan import ModulePlan


def in_import_order(plans: Mapping[str, ModulePlan]) -> Iterator[str]:
    """The names of ``plans``, imported modules first; a circle is entered where it is met, as imports do."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name in done:
            return
        done.add(name)
        for unit in plans[name].new.units:
            for item in unit.imports:
                for target in (f"{item.module}.{item.name}", item.module):
                    if target in plans:
                        yield from visit(target)
        yield name

    for name in sorted(plans):
        yield from visit(name)

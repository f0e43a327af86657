"""Finds imports that a fresh process would fail at, since the names or modules that they speak of go in this swap.

A living module goes on with what it imported once, so nothing would show until the next start, when it is too late.
Only imports at the top of living modules count: those in functions and in blocks (``try``, ``if``) may well be meant
to fail. Where a name can come about in ways that the text does not show, it is taken to be there. It changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import ModuleType

from .building.units import Import, Unit
from .plan import ModulePlan
from .report import Refusal
from .statements.dynamic import binds_by_name, bound_by_functions

_HELP = "change the import as well, in the same release"


def refuse_dangling(
    plans: Mapping[str, ModulePlan],
    deleted: Mapping[str, ModuleType],
    loaded: Iterable[str],
    coming: Collection[str],
    units_of: Callable[[str], Sequence[Unit]],
) -> Iterator[tuple[str, Refusal]]:
    """The refusals, each with the module whose import it is about.

    ``loaded`` are the app's living modules, ``coming`` those that the release has beside them; ``units_of`` gives what
    a living module is made of after the swap.
    """
    gone = {name: names for name, plan in plans.items() if (names := _unbound(name, plan, coming))}
    leaving = {name for name, module in deleted.items() if not hasattr(module, "__path__")}
    if not (gone or leaving):
        return
    for name in sorted({*loaded} - deleted.keys()):
        for unit in units_of(name):
            for item in unit.imports if unit.kind == "import" else ():
                if what := _missing(item, gone, leaving):
                    reason = f"{name} imports {what}, which is not there any more: a fresh process would not start"
                    yield name, Refusal(unit.label, unit.line, reason, _HELP)


def _missing(item: Import, gone: Mapping[str, set[str]], leaving: set[str]) -> str:
    """What an import would not find, in words; empty if it finds all."""
    path = f"{item.module}.{item.name}"
    if item.module in leaving or (item.name and path in leaving):
        return item.module if item.module in leaving else path
    return f"{item.name} from {item.module}" if item.name in gone.get(item.module, ()) else ""


def _unbound(module: str, plan: ModulePlan, coming: Collection[str]) -> set[str]:
    """The names that a module bound and that nothing can bind any more."""
    new = plan.new.units
    names = {name for unit in new for name in unit.names}
    if "__getattr__" in names or "*" in names or any(map(binds_by_name, new)):
        return set()
    known = {*coming, *sys.modules}
    bound = {name for unit in plan.old.units if not unit.deletes for name in unit.names} - {"*"}
    gone = {name for name in bound - names if f"{module}.{name}" not in known}
    return gone - bound_by_functions(new, gone) if gone else gone

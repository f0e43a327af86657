"""Names that a body binds and deletes again: ``tmp = 2``, ``x = tmp + 1``, ``del tmp``.

What reads such a name cannot be run alone later: the name is nowhere to be read. Where the statements that bind, read
and delete it can be run in isolation, `fills` takes them together; otherwise those that bind it run again before one
that changed and reads it. This file finds such names and plans; it runs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from .body import Body
from .building.units import PURE, Unit
from .plan import ModulePlan


def passing(body: Body, units: Sequence[Unit]) -> set[str]:
    """The names that a statement deletes: what reads them reads what is nowhere to be read afterwards."""
    made = {name for unit in units if unit.kind in ("function", "class", "import") for name in unit.names}
    return {name for name in deleted(body) - made if not body.scope.binds(name)}


def deleted(body: Body) -> set[str]:
    """The names that ``del`` statements of the body are for, old or new."""
    units = [*body.old, *(match.new for match in body.matches if match.new is not None)]
    return {name for unit in units if unit.deletes for name in unit.names}


def force_makers(plan: ModulePlan, body: Body) -> None:
    """Has statements run again that bind what a statement that runs reads, and what is deleted further down.

    That is an import or a definition, or builds plain values: nothing that could be noticed.
    """
    units = [match.new for match in body.matches if match.new is not None and id(match.new) not in plan.filled]
    gone = {name for unit in units if unit.deletes for name in unit.names if not body.scope.binds(name)}
    runs = {id(match.new) for match in body.matches if not match.same}
    waiting = [unit for unit in units if id(unit) in runs and not unit.deletes] if gone else []
    while waiting:
        read = gone.intersection(waiting.pop().reads)
        makers = [unit for unit in units if read.intersection(unit.names) and id(unit) not in runs]
        makers = [unit for unit in makers if unit.deletes or _is_harmless(unit)]
        runs.update(map(id, makers))
        plan.forced.update(map(id, makers))
        waiting += makers


def _is_harmless(unit: Unit) -> bool:
    return unit.kind == "import" or unit.effect == PURE or (unit.kind == "function" and unit.decorate is None)


def note_readers(plan: ModulePlan, body: Body, gone: set[str], taken: frozenset[int]) -> None:
    """Names in the report what kept statements computed from names that are ``gone``, and that does not follow.

    ``taken`` are the matches that do, by identity.
    """
    for match in body.matches if gone else ():
        if match.new is not None and match.same and id(match) not in taken and not gone.isdisjoint(match.new.reads):
            plan.report.note_stale(body.scope.path(match.new.label), "what it read is deleted further down")

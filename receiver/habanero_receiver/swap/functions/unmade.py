"""Names living closures whose maker makes them no more: a decorator that returns another wrapper now, a factory too.

Nothing in the new code is their next form, so they keep the old. Where a statement that does not run bound them, or
what holds them, they stay in use, and the report says so. This looks while staging, at what structure leads to, and
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import CodeType, FunctionType

from habanero_receiver.swap.finding.live import reachable
from habanero_receiver.swap.following.follow import Kept
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.plan import ModulePlan
from habanero_receiver.swap.report import SwapReport

from .closures import called

_MAX_OBJECTS = 2_000
"""How much of what one name holds is looked through."""


def name_unmade(plans: Iterable[ModulePlan], kept: Iterable[Kept], report: SwapReport) -> None:
    """Notes those that kept statements of ``kept`` hold."""
    left = {(file, *_place(code)) for plan in plans for code in plan.unmade for file in plan.index.names}
    for module in kept if left else ():
        for unit in module.units:
            held = [module.scope.get(name) for name in unit.names]
            for item in reachable(held, frozenset((module.name,)), _MAX_OBJECTS):
                if is_a(item, FunctionType) and (item.__code__.co_filename, *_place(item.__code__)) in left:
                    maker = item.__code__.co_qualname.rpartition(".<locals>")[0]
                    report.of(module.name).note_stale(called(item), f"it keeps its old code: {maker} makes it no more")


def _place(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno

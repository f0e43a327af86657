"""What lets a commit be undone whatever its statements do: what they can reach, and which modules there were.

The walk is done while staging, in `look_ahead`; in the commit the graph only takes in what the process did since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import CodeType

from .building.units import Build, Unit
from .finding.graph import Graph, Mark
from .finding.reach import Reach, roots_of
from .functions.closures import Rederive
from .outlying import Offspring, Outlying
from .plan import ModulePlan
from .snapshot import restore
from .statements.scope import Scope
from .undo import Imports, UndoLog, restore_mapping


class Guard:
    """For the steps of some plans, which run code of the app."""

    def __init__(
        self,
        plans: Mapping[str, ModulePlan],
        rederived: Iterable[Rederive],
        unloaded: Mapping[str, Build],
        is_own: Callable[[str], bool],
    ) -> None:
        self._plans = plans.values()
        self._rederived = list(rederived)
        self._unloaded = unloaded
        self._is_own = is_own
        self._fresh = {**unloaded, **{name: plan.new for name, plan in plans.items()}}
        self.needed = bool(self._rederived) or any(plan.steps or plan.migration.module for plan in self._plans)
        """Whether anything is run at all."""

    def look_ahead(self, graph: Graph) -> None:
        """Has the graph take in what the steps will lead to, as far as it can be told before."""
        if self.needed:
            graph.region(self._reach().found)
        for plan in self._plans:
            for step in plan.steps:
                scope: Scope | None = getattr(step, "scope", None)
                units: list[Unit | None] = [getattr(step, "unit", None), getattr(step, "old", None)]
                for unit in units:
                    if scope is not None and unit is not None:
                        for root in roots_of(unit.decorate or unit.code, scope.visible(), self._is_own):
                            graph.region([root])

    def stand(self, log: UndoLog, graph: Graph) -> Mark:
        """Notes in the log how all is put back that the steps can reach; returns the moment that it goes back to."""
        if not self.needed:
            return graph.mark()
        reach = self._reach()
        region = graph.region(reach.found)
        log.note((Imports(self._is_own).restore,))
        log.note((Outlying(reach.spoken.values()).restore,))
        log.note((Offspring(reach.found, self._is_own).restore,))
        for plan in self._plans:  # these alone: what they lead to is reached by who uses it
            namespace = vars(plan.module)
            log.note((restore_mapping, namespace, dict(namespace)))
        began = graph.mark()
        log.note((graph.restore, began, [region]))
        log.note((restore, graph.large(region)))
        return began

    def _reach(self) -> Reach:
        """The objects, and the modules, that the statements about to run can change, or lead to what they can."""
        reach = Reach(self._is_own, self._fresh)
        for plan in self._plans:
            for code in _codes(plan):
                reach.follow(code, vars(plan.module))
            scopes = (getattr(step, "scope", None) for step in plan.steps)
            owners = {id(scope.owner): scope.owner for scope in scopes if scope is not None}
            reach.found.extend(owner for owner in owners.values() if owner is not None)
        for step in self._rederived:
            reach.follow(step.outer, step.function.__globals__)
        if self._rederived or any(plan.steps for plan in self._plans):
            for name in self._unloaded:
                reach.follow_module(name)
        return reach


def _codes(plan: ModulePlan) -> Iterator[CodeType]:
    for step in plan.steps:
        if (unit := getattr(step, "unit", None)) is not None:
            yield unit.code
    if plan.migration.module is not None:
        yield plan.migration.module

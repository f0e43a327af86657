"""Functions whose ``def`` is gone go on as what their name means now: inherited, imported, or another name for it.

A method that moved to a base class, or a function that moved to another module, is another function there. Who holds
the former one, as a callback or a bound method, runs the new one's code from then on. Where the name means nothing any
more, or no function, the former one stays as it was: it is nobody's but its holders'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.diff import Match
from habanero_receiver.swap.finding.live import is_layer
from habanero_receiver.swap.functions import fields
from habanero_receiver.swap.functions.moves import apply, become
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.transaction import Transaction

from .scope import Scope

if TYPE_CHECKING:
    from habanero_receiver.swap.plan import ModulePlan


@dataclass(frozen=True, slots=True)
class Succeed:
    """Has the living functions of a ``def`` that is gone become what their name means when all has run."""

    scope: Scope
    unit: Unit
    living: Callable[[], list[FunctionType]]

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        made = self._meant()
        if not fields.available or not is_a(made, FunctionType):
            return
        for function in self.living():
            if function is not made and not is_layer(function, made):
                apply(become(made, function), work.log)
                work.redefined.append(function)

    def _meant(self) -> Any:
        """What the name is bound to, of a class also by inheritance; a static method's function if it was decorated."""
        name, owner = self.unit.names[0], self.scope.owner
        value = self.scope.get(name)
        if owner is not None:
            value = next((vars(cls)[name] for cls in owner.__mro__ if name in vars(cls)), None)
        return value.__func__ if is_a(value, staticmethod) and self.unit.decorate is not None else value


def plan_heirs(plan: ModulePlan, scope: Scope, matches: list[Match]) -> None:
    """Plans the steps of one body."""
    for match in matches:
        if match.new is None and match.old is not None and match.old.kind == "function":
            plan.steps.append(Succeed(scope, match.old, plan.owners(match.old)))

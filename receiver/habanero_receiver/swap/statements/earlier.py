"""What a statement that runs again in another form made before, told by running that form beside the living process.

That is for who has to know which of an object's parts came from its own statement, and which were added since. The rule
that it upholds: it is run only if all that it calls is of libraries, so that nothing of the app is done twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from habanero_receiver.swap.building.units import CALLS, Unit

from .scope import Scope


@dataclass(frozen=True, slots=True)
class Earlier:
    """The older form of a statement."""

    scope: Scope
    unit: Unit
    name: str
    """Of what it binds, that which is asked for."""

    def made(self) -> object:
        """What it makes if it is run now; None if that cannot be told."""
        unit, scope = self.unit, self.scope
        outside = all(scope.is_outside(scope.lookup(root)) for root in unit.call_roots)
        if unit.kind != "assign" or unit.effect > CALLS or not outside:
            return None
        names: dict[str, Any] = {**scope.namespace(), "__annotations__": {}}
        try:
            scope.run(unit.code, names)
        except Exception:  # what it reads is gone
            return None
        return names.get(self.name)

    def gave(self, keywords: frozenset[str]) -> bool:
        """Whether it gave any of these arguments by name."""
        given = (const for const in self.unit.code.co_consts if type(const) is tuple)
        return any(not keywords.isdisjoint(words) for words in given)

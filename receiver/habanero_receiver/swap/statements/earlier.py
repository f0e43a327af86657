"""What a statement that runs again in another form made before, told by running that form beside the living process.

That is for who has to know which of an object's parts came from its own statement, and which were added since. The rule
that it upholds: it is run only if all that it calls is of libraries, so that nothing of the app is done twice; and
before the swap changes anything, so that it reads what it read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from habanero_receiver.swap.building.units import CALLS, Unit

from .scope import Scope


@dataclass(frozen=True, slots=True)
class Earlier:
    """The older form of a statement."""

    module: str
    unit: Unit
    made: object
    """What it makes if it is run again; None if that cannot be told."""

    def gave(self, keywords: frozenset[str]) -> bool:
        """Whether it gave any of these arguments by name."""
        given = (const for const in self.unit.code.co_consts if type(const) is tuple)
        return any(not keywords.isdisjoint(words) for words in given)


def look_back(steps: Iterable[object], kinds: Collection[type]) -> dict[int, Earlier]:
    """The older forms of those statements among ``steps`` that bind an object of one of these kinds, by identity."""
    found = {}
    for step in steps if kinds else ():
        unit, scope = getattr(step, "old", None), getattr(step, "scope", None)
        if unit is None or scope is None or unit.kind != "assign" or len(unit.names) != 1:
            continue
        name = unit.names[0]
        if issubclass(type(scope.get(name)), tuple(kinds)):
            found[id(unit)] = Earlier(scope.globals["__name__"], unit, _made(scope, unit).get(name))
    return found


def _made(scope: Scope, unit: Unit) -> dict[str, Any]:
    outside = all(scope.is_outside(scope.lookup(root)) for root in unit.call_roots)
    if unit.effect > CALLS or not outside:
        return {}
    names: dict[str, Any] = {**scope.namespace(), "__annotations__": {}}
    try:
        scope.run(unit.code, names)
    except Exception:  # the process has bound what it reads to something else since
        return {}
    return names

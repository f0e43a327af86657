"""What calls hand on in an object that they are given: ``app.register_blueprint(blueprint)`` registers all that it has.

What a blueprint has is the app's from that statement on, wherever the blueprint got it. Adapters know what that is.

The rule that it upholds: in what a call's own object leads to, and the object that it was given does not, such a
statement comes before all others that speak of the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from habanero_receiver.swap.statements.scope import Scope

from .claims import Claimant, called_on, given

Parts = Callable[[object], Collection[object]]
"""What a call registers that is given an object; nothing for most."""


@dataclass(frozen=True, slots=True)
class Handing:
    """A statement that hands something on, by the identities of what it does that with."""

    claimant: Claimant
    to: frozenset[int]
    """The objects whose methods it calls."""
    by_way_of: int

    def reaches(self, leading: Collection[int]) -> bool:
        """Whether what it hands on gets into a container that these objects lead to."""
        return self.by_way_of not in leading and not self.to.isdisjoint(leading)


def handed_on(claimants: Iterable[Claimant], scope: Scope, parts: Parts) -> Mapping[int, Sequence[Handing]]:
    """By identity, what statements hand on, each with how."""
    found: dict[int, list[Handing]] = defaultdict(list)
    for claimant in claimants:
        to = frozenset(map(id, called_on(claimant.unit, scope)))
        for value in given(claimant.unit, scope):
            for part in parts(value):
                found[id(part)].append(Handing(claimant, to, id(value)))
    return found


def carriers(claimants: Iterable[Claimant], scope: Scope, parts: Parts) -> list[object]:
    """The objects in which statements hand others on."""
    return [value for claimant in claimants for value in given(claimant.unit, scope) if parts(value)]

"""Which statement of a body has the last word on a name that several bind. Pure: it looks at units alone.

The rule that it upholds: after a swap a name is bound by the last statement of the new body that binds it, as after an
import, whichever of them are run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.diff import Match

_CERTAIN = ("function", "class", "assign", "import")
"""The kinds of units that bind all their names whenever they run; a block may leave some alone."""


@dataclass(frozen=True, slots=True)
class Binders:
    """What follows, for units of one body, from their binding the same names. By identity of the new units."""

    overruled: dict[int, frozenset[str]]
    """Names that a unit binds in passing: a later one, which is not run, binds them for good (``@overload``)."""
    final: dict[int, frozenset[str]]
    """Those names, by the unit that has the last word."""
    promoted: frozenset[int]
    """Units that did not change, yet have a name now that another statement had bound last: they must run."""


def bound_again(units: Sequence[Unit]) -> dict[str, frozenset[str]]:
    """The names that a unit of the body reads and that units below it bind: it read another binding. By its key."""
    last = {name: index for index, unit in enumerate(units) for name in unit.names}
    again = {unit.key: frozenset(n for n in unit.reads if last.get(n, -1) > index) for index, unit in enumerate(units)}
    return {key: names for key, names in again.items() if names}


def binders(old: Sequence[Unit], matches: Iterable[Match]) -> Binders:
    """Compares who bound each name last with who shall."""
    pairs = [(match, match.new) for match in matches if match.new is not None]
    was = {name: unit for unit in old for name in unit.names}
    last = {name: match for match, unit in pairs for name in unit.names}
    promoted = frozenset(
        id(unit)
        for match, unit in pairs
        if match.same and unit.kind in _CERTAIN and unit.kind != "class"
        and any(last[name] is match and was[name] is not match.old for name in unit.names)
    )  # fmt: skip
    overruled: dict[int, frozenset[str]] = {}
    final: dict[int, frozenset[str]] = {}
    for _, unit in pairs:
        for name in unit.names:
            by = last[name].new
            if by is None or by is unit or not last[name].same or id(by) in promoted or by.kind not in _CERTAIN:
                continue
            if name not in by.reads:  # what builds on the name runs again
                overruled[id(unit)] = overruled.get(id(unit), frozenset()) | {name}
                final[id(by)] = final.get(id(by), frozenset()) | {name}
    return Binders(overruled, final, promoted)

"""Which statements of a module an entry of a registry comes from: told by what the entry holds.

A decorated ``def`` registers what its name is bound to, a call what it is given, a class itself where its bases have a
hook. The rule that it upholds: an entry is claimed by the statements that speak of what it holds nearest to it; where
several do, only as many entries as statements tell which is whose, in the order in which they ran.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

from .building.units import PURE, Unit
from .entries import held
from .scope import UNKNOWN, Scope

_DEPTH = 3


@dataclass(frozen=True, slots=True, eq=False)
class Claimant:
    """A statement that may have registered something."""

    unit: Unit
    place: int
    """Where it stands in the new version."""
    was: int | None
    """Where it stood in the old version; None if it is new."""
    runs: bool
    """Whether it runs in this swap."""
    functions: Callable[[], Iterable[object]] = field(default=tuple)
    """The living functions of a ``def``, when called."""

    @property
    def ran(self) -> tuple[bool, int]:
        """Orders statements as they ran: those of the old version first."""
        return (self.was is None, self.place if self.was is None else self.was)

    def targets(self, scope: Scope) -> Iterator[object]:
        """The objects by which its entries are told."""
        yield from given(self.unit, scope)
        if self.unit.kind in ("function", "class"):
            yield from self.functions()
            value = scope.get(self.unit.names[0])
            while value is not None and value is not UNKNOWN:
                yield value
                value = getattr(value, "__wrapped__", None) if isinstance(value, FunctionType) else None


def registers(unit: Unit) -> bool:
    """Whether a statement may register something: it has decorators, makes a class, or hands something on."""
    if unit.kind in ("function", "class"):
        return unit.decorate is not None or unit.kind == "class"
    return unit.kind in ("assign", "other") and bool(unit.reads)


def given(unit: Unit, scope: Scope) -> list[object]:
    """What a call hands on: the functions, classes and other objects that it names, but for whose method it calls."""
    if unit.kind not in ("assign", "other"):
        return []
    roots = {*unit.call_roots}
    found: list[object] = []
    for name in unit.reads:
        value = scope.lookup(name)
        if isinstance(value, ModuleType) and scope.is_own(value.__name__):
            found += [v for n in unit.code.co_names if isinstance(v := vars(value).get(n), (FunctionType, type))]
        elif isinstance(value, (FunctionType, type)) or (name not in roots and _is_object(value)):
            found.append(value)
    return found


def _is_object(value: object) -> bool:
    return type(value).__module__ != "builtins" and value is not UNKNOWN


def calls_out(unit: Unit) -> bool:
    """Whether running the statement can register something, not only bind a value."""
    return unit.effect > PURE and bool(unit.calls)


class Claims:
    """Who may claim what, of the statements of one module."""

    def __init__(self, claimants: Sequence[Claimant], scope: Scope) -> None:
        self._by_target: dict[int, list[Claimant]] = defaultdict(list)
        self._kept: list[object] = []  # identities are only good as long as the objects are there
        for claimant in claimants:
            for target in claimant.targets(scope):
                if claimant not in self._by_target[id(target)]:
                    self._by_target[id(target)].append(claimant)
                    self._kept.append(target)

    def of(self, target: object) -> list[Claimant]:
        """Those that speak of an object."""
        return self._by_target.get(id(target), [])

    def owners(self, entries: Sequence[object], beyond: Collection[int]) -> list[Claimant | None]:
        """Whose each of a container's entries is, None where that cannot be told.

        Objects whose identity is in ``beyond`` are not entered.
        """
        pools: dict[tuple[int, ...], list[int]] = defaultdict(list)
        found: list[list[Claimant]] = []
        for index, entry in enumerate(entries):
            nearest = self._nearest(entry, beyond)
            found.append(nearest)
            pools[tuple(map(id, nearest))].append(index)
        owners: list[Claimant | None] = [None] * len(entries)
        for indexes in pools.values():
            claimants = sorted(found[indexes[0]], key=lambda claimant: claimant.ran)
            if len(claimants) == 1:
                claimants *= len(indexes)
            if len(claimants) == len(indexes):
                for index, claimant in zip(indexes, claimants, strict=True):
                    owners[index] = claimant
        return owners

    def _nearest(self, entry: object, beyond: Collection[int]) -> list[Claimant]:
        level, seen = [entry], set(beyond)
        for depth in range(_DEPTH + 1):
            claimants = {id(c): c for item in level for c in self._by_target.get(id(item), ())}
            if claimants:
                return list(claimants.values())
            below: list[object] = []
            for item in level if depth < _DEPTH else ():
                if id(item) not in seen:
                    seen.add(id(item))
                    below.extend(held(item))
            level = below
        return []


def whole(mapping: Mapping[Any, Any]) -> list[object]:
    """A mapping's entries, each with its key."""
    return [(key, value) for key, value in list(mapping.items())]

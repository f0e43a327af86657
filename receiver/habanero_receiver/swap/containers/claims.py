"""Which statements of a module an entry of a registry comes from: told by what the entry holds.

A decorated ``def`` registers what its name is bound to, a call what it is given, a class itself where its bases have a
hook. The rule that it upholds: an entry is claimed by the statements that speak of what it holds nearest to it; where
several do, only as many entries as statements tell which is whose, in the order in which they ran. One that holds a
function or class of the app is not claimed by who speaks only of what is not the app's beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.building.units import PURE, Unit
from habanero_receiver.swap.classes.shapes import own_init_subclass
from habanero_receiver.swap.finding.graph import Graph
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.statements.paths import dotted_names
from habanero_receiver.swap.statements.scope import UNKNOWN, Scope

from .entries import CONTAINERS, held

if TYPE_CHECKING:
    from .handed import Handing

_DEPTH = 5
"""How many steps an entry leads to what its statement was given: that can be a list inside a router that is mounted."""


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
            value = scope.get(self.unit.names[0])
            if self.unit.decorate is None and not _has_hook(value, scope):
                return
            yield from self.functions()
            while value is not None and value is not UNKNOWN:
                yield value
                value = getattr(value, "__wrapped__", None) if is_a(value, FunctionType) else None


def _has_hook(cls: Any, scope: Scope) -> bool:
    """Whether making the class runs code of the app that may register it."""
    if not is_a(cls, type):
        return False
    return scope.is_own(type(cls).__module__) or own_init_subclass(cls, scope.is_own) is not None


def claimants(
    units: Sequence[Unit], owners: Callable[[Unit], Callable[[], list[FunctionType]]]
) -> tuple[Claimant, ...]:
    """Those of an old version's statements that may have registered something."""
    return tuple(
        Claimant(unit, index, index, runs=False, functions=owners(unit))
        for index, unit in enumerate(units)
        if registers(unit)
    )


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
        if is_a(value, (FunctionType, type)) or (name not in roots and _is_object(value)):
            found.append(value)
    return [*found, *_of_modules(unit, scope)]


def _of_modules(unit: Unit, scope: Scope) -> Iterator[object]:
    """What a statement names as of modules of the app (``api.router``), but for the objects whose methods it calls."""
    modules = any(is_a(scope.lookup(name), ModuleType) for name in unit.reads)
    for path in sorted(dotted_names(unit.code)) if modules else ():
        root, *rest = path.split(".")
        value = scope.lookup(root)
        for name in rest:
            own = is_a(value, ModuleType) and scope.is_own(value.__name__)
            value = scope.names_of(value).get(name, UNKNOWN) if own else UNKNOWN
        if rest and (is_a(value, (FunctionType, type)) or (path not in unit.calls and _is_object(value))):
            yield value


def called_on(unit: Unit, scope: Scope) -> list[object]:
    """The objects, and modules, whose methods or functions a statement calls."""
    return [_called(path.rpartition(".")[0], scope) for path in unit.calls if "." in path]


def made_by(unit: Unit, scope: Scope) -> set[int]:
    """The identities of what an assignment bound and does not read: what is in there it made, and did not register."""
    if unit.kind != "assign":
        return set()
    return {id(scope.get(name)) for name in unit.names if name not in unit.reads}


def _is_object(value: object) -> bool:
    return type(value).__module__ != "builtins" and value is not UNKNOWN


def calls_out(unit: Unit) -> bool:
    """Whether running the statement can register something, not only bind a value."""
    return unit.effect > PURE and bool(unit.calls)


def only_makes(unit: Unit, scope: Scope) -> bool:
    """Whether a statement only binds what it makes of classes of libraries (``app = App(routes=[Route(view)])``).

    What it gives to these is in what it binds; it registers nothing elsewhere.
    """
    if unit.kind != "assign" or not unit.calls:
        return False
    return all(is_a(found := _called(path, scope), type) and scope.is_outside(found) for path in unit.calls)


def _called(path: str, scope: Scope) -> Any:
    root, *rest = path.split(".")
    found = scope.lookup(root)
    for name in rest:
        found = scope.names_of(found).get(name) if is_a(found, ModuleType) else None
    return found


def claimed_elsewhere(
    target: object, scope: Scope, modules: Mapping[str, ModuleType], units_of: Callable[[str], Iterable[Unit]]
) -> bool:
    """Whether a statement of another module of the app may have registered the object."""
    for name, module in modules.items():
        namespace = vars(module)
        if namespace is scope.globals or not _speaks_of(namespace, target, scope):
            continue
        around = replace(scope, globals=namespace, owner=None)
        calls = (unit for unit in units_of(name) if unit.kind in ("assign", "other") and calls_out(unit))
        if any(value is target for unit in calls for value in given(unit, around)):
            return True
    return False


def _speaks_of(namespace: Mapping[str, Any], target: object, scope: Scope) -> bool:
    home = target.__module__ if is_a(target, (FunctionType, type)) else None  # others may answer for themselves
    values = list(namespace.values())
    modules = [value for value in values if type(value) is ModuleType]
    if any(value is target for value in values) or any(module.__name__ == home for module in modules):
        return True
    own = (vars(module) for module in modules if home is None and scope.is_own(module.__name__))
    return any(value is target for held in own for value in list(held.values()))


class Claims:
    """Who may claim what, of the statements of one module."""

    def __init__(
        self, claimants: Sequence[Claimant], scope: Scope, handed: Mapping[int, Sequence[Handing]] | None = None
    ) -> None:
        """``handed`` are, by identity, objects that statements hand on in others."""
        self._scope, self._handed = scope, handed or {}
        self._by_target: dict[int, list[Claimant]] = defaultdict(list)
        self._kept: list[object] = []  # identities are only good as long as the objects are there
        for claimant in claimants:
            for target in claimant.targets(scope):
                if claimant not in self._by_target[id(target)]:
                    self._by_target[id(target)].append(claimant)
                    self._kept.append(target)
        self._targets = frozenset(self._by_target)

    def of(self, target: object) -> list[Claimant]:
        """Those that speak of an object."""
        return self._by_target.get(id(target), [])

    def owners(self, entries: Sequence[object], beyond: Collection[int]) -> list[Claimant | None]:
        """Whose each of a container's entries is, None where that cannot be told.

        Objects whose identity is in ``beyond`` tell nothing, and are not entered.
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
            if len(claimants) > 1:
                told = told_by_text([entries[index] for index in indexes], claimants, beyond)
                for index, claimant in zip(indexes, told, strict=True):
                    owners[index] = claimant
                indexes = [index for index in indexes if owners[index] is None]
                claimants = [c for c in claimants if not any(c is claimant for claimant in told)]
            if len(claimants) == 1:
                claimants *= len(indexes)
            if len(claimants) == len(indexes):
                for index, claimant in zip(indexes, claimants, strict=True):
                    owners[index] = claimant
        return owners

    def owners_in(self, content: Collection[Any], beyond: Collection[int]) -> list[Claimant | None]:
        """Whose each entry of a list, or each item of a mapping is."""
        return self.owners(whole(content) if isinstance(content, dict) else list(content), beyond)

    def held_by(
        self, units: Sequence[Unit], sure: Sequence[Unit], entries: Sequence[object], beyond: Collection[int]
    ) -> tuple[list[int], list[Unit]]:
        """Which entries are of these statements, by index; and of which others might be, which cannot be told.

        Of those that are not ``sure`` none can: other modules speak of what they were given.
        """
        wanted, told = set(map(id, units)), set(map(id, sure))
        owners = self.owners(entries, beyond)
        mine = [index for index, owner in enumerate(owners) if owner is not None and id(owner.unit) in told]
        others = (index for index, owner in enumerate(owners) if owner is None or id(owner.unit) in wanted)
        untold = [entries[index] for index in others if index not in mine]
        maybe = {id(c.unit): c.unit for entry in untold for c in self._nearest(entry, beyond)}
        return mine, [unit for key, unit in maybe.items() if key in wanted]

    def _is_of_app(self, item: object) -> bool:
        """Whether it is a function or class of the app: others speak of those that are not as well (``str``)."""
        return is_a(item, (FunctionType, type)) and self._scope.is_own(item.__module__ or "")

    def _nearest(self, entry: object, beyond: Collection[int]) -> list[Claimant]:
        level, seen = [entry], set(beyond)
        met: list[object] = []
        for depth in range(_DEPTH + 1):
            met += level
            handed = [handing for item in level for handing in self._handed.get(id(item), ())]
            if came := [handing.claimant for handing in handed if handing.reaches(beyond)]:
                return list({id(claimant): claimant for claimant in came}.values())
            if told := self._targets.intersection(map(id, level)).difference(beyond):
                spoken = {id(item): item for item in level if id(item) in told}
                mine = any(map(self._is_of_app, spoken.values()))
                if not mine and any(id(item) not in beyond and self._is_of_app(item) for item in met):
                    return []
                return list({id(c): c for key in spoken for c in self._by_target[key]}.values())
            below: list[object] = []
            for item in level if depth < _DEPTH else ():
                if id(item) not in seen:
                    seen.add(id(item))
                    below.extend(held(item))
            level = below
        return []


def told_by_text(
    entries: Sequence[object], claimants: Sequence[Claimant], beyond: Collection[int]
) -> list[Claimant | None]:
    """Whose each entry is, where texts in it stand in one of the statements that speak of it, and not in the others."""
    written = [_texts(claimant.unit) for claimant in claimants]
    common = frozenset.intersection(*written)
    found: list[Claimant | None] = []
    for entry in entries:
        said = {text for texts in written for text in texts if text not in common}.intersection(_said(entry, beyond))
        matching = [c for c, texts in zip(claimants, written, strict=True) if said and said <= texts]
        found.append(matching[0] if len(matching) == 1 else None)
    return found


def _texts(unit: Unit) -> frozenset[str]:
    """The texts that a statement is written with."""
    waiting: list[object] = [code.co_consts for code in (unit.decorate, unit.code) if code is not None]
    found: set[str] = set()
    while waiting:
        item = waiting.pop()
        if type(item) is tuple:
            waiting.extend(item)
        elif type(item) is str:
            found.add(item)
    return frozenset(found)


def _said(entry: object, beyond: Collection[int]) -> set[str]:
    """The texts that an entry holds."""
    level, found, seen = [entry], set[str](), set(beyond)
    for _ in range(_DEPTH + 1):
        found.update(item for item in level if type(item) is str)
        below = [item for item in level if id(item) not in seen]
        seen.update(map(id, below))
        level = [part for item in below for part in held(item)]
    return found


def registries(
    graph: Graph, roots: Iterable[object], targets: Iterable[object], scope: Scope
) -> list[tuple[Any, frozenset[int]]]:
    """The containers that ``roots`` lead to and that may hold what was registered for some of ``targets``.

    Each comes with the identities of those roots that lead to it, and its own. What such a root put there itself speaks
    of it, and was not given to it.
    """
    regions = {id(root): graph.region([root]) for root in roots}
    now = graph.mark()
    near = graph.leading_to(targets, _DEPTH)
    found = graph.objects(graph.holders(near), [*regions.values()], now)
    return [
        (item, frozenset({key, *(root for root, region in regions.items() if key in region)}))
        for key, item in found
        if is_a(item, CONTAINERS) and item is not scope.globals
    ]


def whole(mapping: Mapping[Any, Any]) -> list[object]:
    """A mapping's entries, each with its key."""
    return [(key, value) for key, value in list(mapping.items())]

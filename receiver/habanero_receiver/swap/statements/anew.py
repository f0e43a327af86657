"""Registries that a changed statement makes anew: what decorators and calls put into the old one is put into the new.

``bus = Bus("!")`` that becomes ``bus = Bus("?")`` makes another object, which holds no handlers yet. The definitions
and calls that had registered with the old one did not change, in whatever module they are; they are run again,
decorators and all, so that the new one holds what a fresh process would have in it. That is asked of those alone that
the old one holds now, and that reach it: what only reads a changed object goes on as it is. It finds them and runs
nothing.

Objects that an adapter keeps alive (`is_tracked`) take over what was made instead, and are left alone here.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import FunctionType, ModuleType
from typing import Any

from habanero_receiver.swap.adapters import is_tracked
from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.classes.shapes import own_init_subclass
from habanero_receiver.swap.classes.twins import registries_of
from habanero_receiver.swap.diff import Match, match_units
from habanero_receiver.swap.finding.live import reachable
from habanero_receiver.swap.finding.reach import roots_of
from habanero_receiver.swap.following.constants import is_constant
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.plan import ModulePlan

from .scope import Scope

Path = tuple[str, ...]
"""A unit by the keys of the classes around it, and its own."""


@dataclass(frozen=True, slots=True)
class _Registry:
    """An object that is about to be made anew, and the class whose attribute it is."""

    live: object
    owner: type | None

    def is_reached(self, roots: Iterable[object]) -> bool:
        """Whether what some code can change includes it."""
        return any(root is self.live or (root is self.owner and root is not None) for root in roots)


def registered_again(
    plans: Iterable[ModulePlan], modules: frozenset[str], units_of: Callable[[str], Sequence[Unit]]
) -> Mapping[str, list[Path]]:
    """The units that register with what changed statements make anew, by the names of their modules.

    ``modules`` are the app's own that are loaded; ``units_of`` gives what each is made of once the swap is done.
    """
    found: dict[str, list[Path]] = {}
    for plan in plans:
        for registry in _made_anew(plan.scope, match_units(plan.old.units, plan.new.units)):
            held = [*_held(registry.live, modules)]
            homes = {part.__module__ for part in held}
            for name in sorted(modules.intersection(homes)) if held else ():
                scope = replace(plan.scope, globals=vars(sys.modules[name]), owner=None)
                found.setdefault(name, []).extend(_registering(scope, registry, held, units_of(name)))
    return {name: paths for name, paths in found.items() if paths}


def _held(registry: object, modules: frozenset[str]) -> Iterator[Any]:
    """The functions and classes in a registry, those that it speaks of by weak references included."""
    for part in reachable([registry], modules):
        item = part() if is_a(part, weakref.ref) else part
        if is_a(item, (FunctionType, type)):
            yield item


def force(plan: ModulePlan, paths: Iterable[Path]) -> None:
    """Has these units of a module's new version run, changed or not."""
    for path in paths:
        units: Sequence[Unit] = plan.new.units
        for key in path:
            unit = next(unit for unit in units if unit.key == key)
            units = unit.members
        plan.forced.add(id(unit))
        plan.again.add(id(unit))


def _made_anew(scope: Scope, matches: Iterable[Match]) -> Iterator[_Registry]:
    """The living objects of which changed statements of a module, or of classes in it, make others."""
    for match in matches:
        old, new = match.old, match.new
        if old is None or new is None or new.kind != old.kind:
            continue
        for name in sorted({*old.names} & {*new.names}):
            live = scope.get(name)
            if new.kind == "class" and is_a(live, type):
                yield from _made_anew(scope.inside(live), match_units(old.members, new.members))
            elif new.kind == "assign" and not match.same and _can_hold(live):
                yield _Registry(live, scope.owner)


def _can_hold(value: object) -> bool:
    return not (is_a(value, (FunctionType, type, ModuleType)) or is_constant(value) or is_tracked(value))


def _registering(scope: Scope, registry: _Registry, held: Sequence[Any], units: Sequence[Unit]) -> Iterator[Path]:
    """The units of one module that put what a registry holds into it."""
    homes = {part.__qualname__ for part in held if part.__module__ == scope.globals["__name__"]}
    identities = set(map(id, held))
    for path, unit in _within(units, ()):
        if unit.kind in ("function", "class"):
            qualified = ".".join(key.partition("#")[0].partition(" ")[2] for key in path)
            if qualified in homes and registry.is_reached(_roots(scope, unit, qualified, held)):
                yield path
        elif unit.kind == "other" and _calls_only(scope, unit, registry):
            given = {id(scope.globals.get(name)) for name in unit.reads}
            if not given.isdisjoint(identities):
                yield path


def _roots(scope: Scope, unit: Unit, qualified: str, held: Sequence[Any]) -> list[object]:
    """What the decorators of a definition, and of a class the app's own hooks, can change."""
    classes = [part for part in held if part.__qualname__ == qualified and is_a(part, type)]
    if unit.kind == "class" and classes:
        return registries_of(unit, classes[0], own_init_subclass(classes[0], scope.is_own), scope)
    return roots_of(unit.decorate, scope.globals, scope.is_own)


def _calls_only(scope: Scope, unit: Unit, registry: _Registry) -> bool:
    """Whether a statement, a loop too, calls nothing but methods of the registry and what cannot know the app."""
    roots = [_root(scope, path) for path in unit.calls]
    asked = any(root is registry.live for root in roots)
    return asked and unit.closed and all(root is registry.live or scope.is_outside(root) for root in roots)


def _root(scope: Scope, path: str) -> Any:
    """The object that a call of this dotted path goes to, past the modules that lead to it."""
    first, *names = path.split(".")
    found = scope.lookup(first)
    for name in names:
        if not is_a(found, ModuleType):
            break
        found = vars(found).get(name)
    return found


def _within(units: Iterable[Unit], around: Path) -> Iterator[tuple[Path, Unit]]:
    for unit in units:
        yield (*around, unit.key), unit
        if unit.kind == "class":
            yield from _within(unit.members, (*around, unit.key))

"""Finds the modules whose kept units may follow what a swap changes: those swapped, and those that import from them.

A unit is *kept* if the swap does not run it. Here is only found who may have to follow, while planning; `follow` says
in the commit what does. The rule it upholds: a module that got an object from one that may change is among those
found, however far away it is, so that no other has to be looked at while the app waits.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING

from habanero_receiver.swap.order import in_import_order
from habanero_receiver.swap.statements.binders import bound_again
from habanero_receiver.swap.statements.scope import Scope

from .classvars import ClassVars, find, holders
from .follow import Kept
from .influence import Influence

if TYPE_CHECKING:
    from habanero_receiver.swap.engine import Swapper
    from habanero_receiver.swap.plan import ModulePlan

    from .suspects import Suspects


def find_kept(
    swapper: Swapper,
    plans: Mapping[str, ModulePlan],
    deleted: Collection[str],
    own_modules: frozenset[str],
    suspects: Suspects,
) -> tuple[dict[str, Kept], list[ClassVars]]:
    """The kept units by module, imported modules first, and the attributes of classes that may change.

    Shows the units to ``suspects``. ``own_modules`` are the app's living modules, with those that are planned and those
    that are ``deleted``.
    """
    kept = {name: Kept(name, plan.scope, tuple(plan.kept), _left_alone(plan)) for name, plan in plans.items()}
    influence = Influence([*plans.values()], swapper.is_own)
    changing: dict[str, set[str]] = {name: set(plan.changing) for name, plan in plans.items()}
    classvars = [
        item
        for name, plan in plans.items()
        for item in find(plan.old.units, plan.new.units, vars(plan.module), changing[name] | plan.late)
    ]
    influence.classvars = classvars
    suspects.look(influence, kept.values())
    influence.reach((name, item.units, item.scope.globals) for name, item in kept.items())
    others = {name: sys.modules[name] for name in own_modules - set(plans) - set(deleted)}
    _note_changing(changing, kept.values(), influence, classvars)
    found = _ordered(kept) if any(changing.values()) else []
    while found:
        for name in found:
            changing[name] = kept[name].may_change(changing)
        shared = _shared(found, kept, changing)
        found = [name for name, module in others.items() if _holds(module, shared)]
        for name in found:
            module = others.pop(name)
            scope = Scope(vars(module), own_modules, swapper.is_own)
            units = swapper.units_of(name, module)
            kept[name] = Kept(name, scope, units, bound_again(units))
        fresh = [kept[name] for name in found]
        for item in fresh:
            influence.spread(item.name, item.units, item.scope.globals)
        influence.reach((item.name, item.units, item.scope.globals) for item in fresh)
        moving = frozenset().union(*changing.values())
        classvars.extend(c for item in fresh for c in find(item.units, item.units, item.scope.globals, moving))
        _note_changing(changing, fresh, influence, classvars)
    suspects.look(influence, kept.values())
    return {name: kept[name] for name in _ordered(kept)}, classvars


def _left_alone(plan: ModulePlan) -> dict[str, frozenset[str]]:
    """The names that units read and that nothing follows from for them, by the units' keys."""
    again = bound_again(plan.new.units)
    none = frozenset[str]()
    return {unit.key: again.get(unit.key, none) | plan.settled.get(id(unit), none) for unit in plan.new.units}


def _note_changing(
    changing: dict[str, set[str]], modules: Iterable[Kept], influence: Influence, classvars: Collection[ClassVars]
) -> None:
    """Takes in the names of these modules through which others may have to follow."""
    for item in modules:
        names = influence.of(item.name) | holders(item.scope.globals, classvars)
        changing.setdefault(item.name, set()).update(names)


def _ordered(kept: Mapping[str, Kept]) -> list[str]:
    return list(in_import_order({name: item.units for name, item in kept.items()}))


def _shared(names: list[str], kept: Mapping[str, Kept], changing: Mapping[str, Collection[str]]) -> set[int]:
    """The ids of what another module holds if it imports from these: they, their packages, and what may change."""
    shared = {id(sys.modules.get(above)) for name in names for above in _with_parents(name)}
    for name in names:
        values = kept[name].scope.globals
        exported = [bound for bound in values if not bound.startswith("__")] if "__all__" in changing[name] else []
        shared |= {id(values[bound]) for bound in (*exported, *changing[name]) if bound in values}
    return shared


def _holds(module: ModuleType, values: set[int]) -> bool:
    return not values.isdisjoint(map(id, list(vars(module).values())))


def _with_parents(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]

"""Code objects that the app holds beside their functions: ``internal.add(function.__code__)`` in a decorator.

A container that decorators of changed functions speak of, and that holds the code of a living function, holds its new
code after the swap, in the same place. Code that is held elsewhere, or of functions that are gone, is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.finding.reach import roots_of
from habanero_receiver.swap.kinds import instance_dict, is_a
from habanero_receiver.swap.plan import ModulePlan
from habanero_receiver.swap.transaction import Transaction
from habanero_receiver.swap.undo import fill, reorder, restore_mapping


@dataclass(frozen=True, slots=True)
class HeldCode:
    """A container, and which of the code objects in it are of which living functions."""

    container: Any
    functions: tuple[tuple[CodeType, FunctionType], ...]

    def __call__(self, work: Transaction) -> None:
        """Puts the code that the functions run now into the places of the code that they ran."""
        moved = {id(code): function.__code__ for code, function in self.functions if function.__code__ is not code}
        held = self.container
        if not moved:
            return
        if is_a(held, set):
            gone = [code for code in held if id(code) in moved]
            come = [code for code in moved.values() if code not in held]
            work.log.do((_replace, held, gone, come), (_replace, held, come, gone))
        elif is_a(held, list):
            known = {id(code) for code in moved.values()}  # what a decorator that ran again added gives way
            items = [moved.get(id(item), item) for item in held if id(item) not in known]
            work.log.do((fill, held, items), (fill, held, list(held)))
        else:
            content = {moved.get(id(key), key): moved.get(id(value), value) for key, value in held.items()}
            work.log.do((_refill, held, content), (_refill, held, dict(held)))


def held_code(plans: Iterable[ModulePlan]) -> list[HeldCode]:
    """Finds the containers that decorators of changed functions read and that hold code of the plans' modules."""
    plans = list(plans)
    containers = {id(c): c for plan in plans for c in _containers(plan) if any(map(_is_code, _content(c)))}
    if not containers:
        return []
    owners = {id(function.__code__): function for plan in plans for function in plan.index.functions()}
    found = []
    for container in containers.values():
        codes = [code for code in _content(container) if _is_code(code) and id(code) in owners]
        if codes:
            found.append(HeldCode(container, tuple((code, owners[id(code)]) for code in codes)))
    return found


def _containers(plan: ModulePlan) -> Iterator[Any]:
    seen: set[tuple[str, ...]] = set()
    for unit in _decorated(plan):
        assert unit.decorate is not None  # of a decorated unit
        if unit.decorate.co_names in seen:
            continue
        seen.add(unit.decorate.co_names)
        for root in roots_of(unit.decorate, plan.scope.globals, plan.scope.is_own):
            for item in (root, *(instance_dict(root) or {}).values()):
                if type(item) in (set, list, dict):
                    yield item


def _decorated(plan: ModulePlan) -> Iterator[Unit]:
    steps = (getattr(step, "unit", None) for step in plan.steps)
    for unit in (*(patch.unit for patch in plan.patches), *steps):
        if unit is not None and unit.kind == "function" and unit.decorate is not None:
            yield unit


def _content(container: Any) -> list[Any]:
    return [*container.keys(), *container.values()] if is_a(container, dict) else list(container)


def _is_code(item: object) -> bool:
    return type(item) is CodeType


def _replace(held: set[Any], gone: Iterable[CodeType], come: Iterable[CodeType]) -> None:
    held.difference_update(gone)
    held.update(come)


def _refill(held: dict[Any, Any], content: dict[Any, Any]) -> None:
    restore_mapping(held, content)
    reorder(held, list(content))

"""Puts what an adapter handed on to an app itself where the statement stands by which the app has it.

A statement of an unchanged module is not arranged with a module's own (`arranging`): this is for it, in every module
that names the app.

The rule that it upholds: what came is put in its place; what was there before stays in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import FunctionType
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.statements.scope import Scope
from habanero_receiver.swap.undo import UndoLog, fill, reorder

from .arranging import arranged
from .claims import Claimant, Claims, claimants
from .handed import handed_on

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction

Table = tuple[Any, list[Any] | dict[Any, Any]]
"""A list or mapping of the app, and what it held before."""


def arrange_handed_on(scope: Scope, work: Transaction, receiver: object, tables: Sequence[Table]) -> None:
    """Puts what came into tables of ``receiver`` where the statements stand by which it came, module by module.

    ``scope`` is that of any module of the app.
    """
    for name, module in work.modules.items():
        if not any(value is receiver for value in list(vars(module).values())):
            continue
        around = replace(scope, globals=vars(module), owner=None)
        found = claimants(work.units_of(name), _found_by_name)
        if handed := handed_on(found, around, work.handed_on):
            claims = Claims(found, around, handed)
            for container, before in tables:
                _arrange(work.log, claims, container, before, frozenset({id(container), id(receiver)}))


def _found_by_name(_: Unit) -> Callable[[], list[FunctionType]]:
    return list


def _arrange(
    log: UndoLog, claims: Claims, container: Any, before: list[Any] | dict[Any, Any], leading: frozenset[int]
) -> None:
    entries = list(container)
    first = claims.owners_in(before, leading)
    there = {id(owner) for owner in first if owner is not None}
    owners = [_as_it_came(owner, there) for owner in claims.owners_in(container, leading)]
    wanted = arranged(owners, entries, first)
    if wanted is not None:
        put = reorder if is_a(container, dict) else fill
        log.do((put, container, wanted), (put, container, entries))


def _as_it_came(owner: Claimant | None, there: set[int]) -> Claimant | None:
    """Of a statement that had nothing in the container, what it has now counts as registered in this swap."""
    return owner if owner is None or id(owner) in there else replace(owner, runs=True)

"""Lets what an unchanged block made follow what the block reads: ``if DEBUG: def show(): ...`` when ``DEBUG`` changed.

A block follows if it can be run in isolation (`isolated`): it makes functions, constants and containers, and nothing
else. It is run twice, as it read before the commit and as it reads now, and what the living process has of the first
goes over to the second. The rule that it upholds: what the process bound or changed otherwise since stays, and a
function that both runs made stays the same object.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType
from typing import Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.classes.adopt import remake
from habanero_receiver.swap.containers.merge import CONTAINERS, merge, token
from habanero_receiver.swap.following.classvars import MISSING
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.transaction import Transaction

from .isolated import filled_by, run_isolated
from .scope import Scope


def follow_block(
    scope: Scope, unit: Unit, past: Mapping[str, Any], work: Transaction
) -> list[tuple[str, Any, Any]] | None:
    """Brings the names of a block in line; each that changed, with its live value and its new one.

    ``past`` is what changed names were bound to before the commit. None if the block cannot be run unseen.
    """
    own = {*unit.names}
    if unit.kind != "other" or not (own and unit.closed and own.isdisjoint(unit.reads) and filled_by(unit) <= own):
        return None
    read = {name: value for name, value in past.items() if name in unit.reads}
    try:
        was = run_isolated(scope, [unit], unit.names, read)
        now = run_isolated(scope, [unit], unit.names, {})
    except Exception:  # it can be seen, or raises: it cannot be told what it would make
        return None
    changes = []
    for name in unit.names:
        live = scope.get(name) if scope.binds(name) else MISSING
        before, after = was.get(name, MISSING), now.get(name, MISSING)
        if alike(live, before) and not alike(before, after):
            changes.append((name, live, _settle(scope, work, name, live, before, after)))
    return [change for change in changes if change[1] is not change[2]]


def _settle(scope: Scope, work: Transaction, name: str, live: Any, before: Any, after: Any) -> Any:
    """Binds a name to what the block makes now; returns what that is: the living object where it could become it."""
    if after is MISSING:
        scope.unbind(work.log, name)
        return after
    if is_a(live, FunctionType) and is_a(after, FunctionType) and remake(work, live, after):
        return live
    if type(after) in CONTAINERS and type(live) is type(before) is type(after):
        merge(work.log, live, before, after)
        return live
    scope.bind(work.log, name, after)
    return after


def alike(one: Any, other: Any) -> bool:
    """Whether two values are what one statement made each time it ran."""
    if is_a(one, FunctionType) and is_a(other, FunctionType):
        born = [token((f.__defaults__, f.__kwdefaults__)) for f in (one, other)]
        return born[0] == born[1] and token(one) == token(other)
    return one is other or (one is not MISSING and other is not MISSING and token(one) == token(other))

"""What descriptors of the app write down when a class tells them their names: ``__set_name__`` of fields and columns.

A field that is replaced writes itself down again, and one that goes should be written down no more. Both are found as
what decorators register is: by the object, in what the class holds and what the method reads. A name alone cannot be
told from another class's: where one is left is said in the report.
"""

from __future__ import annotations

from collections import deque
from types import FunctionType
from typing import Any

from habanero_receiver.swap.finding.live import reachable
from habanero_receiver.swap.finding.reach import roots_of
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.statements.scope import Scope
from habanero_receiver.swap.transaction import Transaction

from .entries import place_of
from .registry import Registrations


class Told:
    """Looks at what is written down before values of a class give way; `settle` takes back what is left of them."""

    def __init__(self, work: Transaction, scope: Scope, names: tuple[str, ...]) -> None:
        held = scope.owner.__dict__ if scope.owner is not None else {}
        self._scope, self._names = scope, names
        self._old = [held[name] for name in names if name in held and _hooks(held[name], scope)]
        hooks = [hook for value in self._old for hook in _hooks(value, scope)]
        self._roots = [root for hook in hooks for root in roots_of(hook.__code__, hook.__globals__, scope.is_own)]
        self._registered = Registrations(work.graph, [scope.owner, *self._roots]) if hooks else None
        if self._registered is not None:
            work.log.note((self._registered.restore,))

    def settle(self, work: Transaction) -> None:
        """Puts what the new values wrote down into the places of the old ones'."""
        if self._registered is None or self._scope.owner is None:
            return
        held = self._scope.owner.__dict__
        now = [held[name] for name in self._names if name in held]
        old = [value for value in self._old if all(value is not item for item in now)]
        if old:
            self._registered.settle(work.log, old, now)
        for name in self._names:
            if name not in held:
                self._note_name(work, self._scope.owner, name)

    def _note_name(self, work: Transaction, owner: type, name: str) -> None:
        """Says where the name of what is gone is still written down: whose it is cannot be told."""
        for item in reachable(self._roots, self._scope.own_modules):
            if is_a(item, (list, dict, set, deque)) and any(type(part) is str and part == name for part in item):
                why = f"it is gone, and its name is still in {place_of(item, work.modules)}"
                work.report.of(self._scope.globals["__name__"]).note_stale(f"{owner.__qualname__}.{name}", why)


def _hooks(value: Any, scope: Scope) -> list[FunctionType]:
    """The app's own method that is told the name, if there is one."""
    found = next((vars(cls)["__set_name__"] for cls in type(value).__mro__ if "__set_name__" in vars(cls)), None)
    return [found] if is_a(found, FunctionType) and scope.is_own(found.__module__ or "") else []

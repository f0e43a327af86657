"""What a name was bound to goes on as what its new decorators give: others may hold it, in tables or as a callback.

A decorator that wraps makes another function each time. Where the old result and the new one are both functions, the
old one takes over all that the new one is, and stays; else the name is bound to the new one, and who holds the old one
goes on with the old decorators. Where the old one is inside of the new one, which wraps it, a copy takes its place
there. It decides for one ``def`` alone.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from habanero_receiver.swap.finding.live import is_layer, leads_to
from habanero_receiver.swap.functions import fields
from habanero_receiver.swap.functions.moves import apply, become
from habanero_receiver.swap.functions.standin import stand_in
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.transaction import Transaction


class Successor:
    """Lets ``before``, what a ``def``'s name was bound to, take over what its decorators make of ``function`` now."""

    def __init__(self, before: object, function: FunctionType) -> None:
        self._function = function
        self._before = before if is_a(before, FunctionType) else None  # a proxy is none
        self.taken: list[FunctionType] = []
        """What it has taken over: it is one of the new layers then, and a decorator may have registered the other."""

    def take_over(self, work: Transaction, made: Any, *, same_maker: bool) -> Any:
        """What to go on with in place of ``made``; ``same_maker`` asks that both come from the same ``def``.

        That can be told before outer decorators are given it, and register it.
        """
        before = self._before
        if before is None or not is_a(made, FunctionType) or made is before:
            return made
        if same_maker and (self.taken or made.__code__ != before.__code__):
            return made
        if not fields.available:
            return made
        if is_layer(before, made):
            pairs = None if same_maker else stand_in(made, before)
            if pairs is None:
                return made
            apply(pairs, work.log)
        elif before is self._function or not self._are_made_of_it(made, before):
            return made
        apply(become(made, before), work.log)
        self.taken.append(made)
        work.redefined.append(before)
        return before

    def _are_made_of_it(self, *functions: FunctionType) -> bool:
        """Whether they hold the function of this ``def``.

        Some decorators give one function for all (``typing.overload``), and several ``def`` can have one name.
        """
        return all(leads_to([made], self._function, unsure=False) for made in functions)

"""What a name was bound to goes on as what its new decorators give: others may hold it, in tables or as a callback.

A decorator that wraps makes another function each time. Where the old result and the new one are both functions, the
old one takes over all that the new one is, and stays; else the name is bound to the new one, and who holds the old one
goes on with the old decorators. It decides for one ``def`` alone.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from habanero_receiver.swap.finding.live import cell_content
from habanero_receiver.swap.functions.moves import ClosureError, apply, become
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.transaction import Transaction


class Successor:
    """Lets ``before``, what a ``def``'s name was bound to, take over what its decorators make now.

    ``inner`` are the functions that the decorators are given: these cannot be what is made of them.
    """

    def __init__(self, before: object, inner: list[FunctionType]) -> None:
        usable = type(before) is FunctionType and all(before is not function for function in inner)  # a proxy is none
        self._before: FunctionType | None = before if usable else None  # type: ignore[assignment]  # it is usable

    def take_over(self, work: Transaction, made: Any, *, same_maker: bool) -> Any:
        """What to go on with in place of ``made``; ``same_maker`` asks that both come from the same ``def``.

        That can be told before outer decorators are given it, and register it.
        """
        before = self._before
        if before is None or not is_a(made, FunctionType) or made is before:
            return made
        if same_maker and made.__code__ != before.__code__:
            return made
        if made.__globals__ is not before.__globals__ or _leads_to(made, before):
            return made
        try:
            apply(become(made, before), work.log)
        except ClosureError:
            return made
        self._before = None  # an outer decorator of the same maker makes another layer
        work.redefined.append(before)
        return before


def _leads_to(function: FunctionType, target: FunctionType) -> bool:
    """Whether calling ``function`` would call ``target``: it cannot become what it is called by."""
    held = [item for cell in function.__closure__ or () for item in cell_content(cell)]
    return any(item is target for item in (*held, *function.__dict__.values(), *(function.__defaults__ or ())))

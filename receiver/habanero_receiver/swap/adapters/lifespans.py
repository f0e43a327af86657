"""FastAPI: what an app begins and ends with is made of its own and of the routers that it includes, each once.

``include_router`` wraps the lifespan that there is, and adds the router's handlers of the start. A call that runs again
would do so a second time, and one that is gone leaves its layer; here it is made anew of the routers that are included.
A lifespan that has begun goes on as it began.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.undo import fill

from .closures import cells

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction

_EVENTS = ("on_startup", "on_shutdown")


class Lifespan:
    """A router's, as it was before the statements of a swap ran."""

    def __init__(self, router: Any) -> None:
        self.router, self.context = router, vars(router).get("lifespan_context")
        self.included = _included(router)
        self.events = {name: list(getattr(router, name, ())) for name in _EVENTS}

    def settle(self, swap: Transaction) -> None:
        """Makes it of the routers that are included now, if these changed or were included again."""
        merge = getattr(sys.modules["fastapi.routing"], "_merge_lifespan_context", None)
        now, included = vars(self.router).get("lifespan_context"), _included(self.router)
        again = now is not self.context
        if merge is None or now is None or not (again or _differ(included, self.included)):
            return
        before, layers = list(_layers(self.context)), list(_layers(now))
        wanted = [layers[0], *(router.lifespan_context for router in included)]
        context = self.context
        if _differ(wanted, before):
            context = wanted[0]
            for nested in wanted[1:]:
                context = merge(context, nested)
        swap.log.set_item(vars(self.router), "lifespan_context", context)
        for name, had in self.events.items() if again else ():
            self._drop_doubles(swap, getattr(self.router, name), had, [h for r in included for h in getattr(r, name)])

    def _drop_doubles(self, swap: Transaction, handlers: list[Any], had: list[Any], of_others: list[Any]) -> None:
        """Takes out what a router that was included before has added again."""
        came = handlers[len(had) :]
        kept = [handler for handler in came if not (handler in had and handler in of_others)]
        if len(kept) != len(came):
            swap.log.do((fill, handlers, [*had, *kept]), (fill, handlers, list(handlers)))


def _included(router: Any) -> list[Any]:
    """The routers that it includes, in their order; none where the library copies their routes."""
    found = (getattr(route, "original_router", None) for route in router.routes)
    return [included for included in found if hasattr(included, "lifespan_context")]


def _layers(context: Any) -> Iterator[Any]:
    """The lifespan that a router was made with, and those that were laid around it, in their order."""
    held = dict(cells(getattr(context, "__wrapped__", None)))
    if "original_context" in held and "nested_context" in held:
        yield from _layers(held["original_context"])
        yield held["nested_context"]
    else:
        yield context


def _differ(items: list[Any], others: list[Any]) -> bool:
    return list(map(id, items)) != list(map(id, others))

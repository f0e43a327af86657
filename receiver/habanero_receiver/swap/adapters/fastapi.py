"""FastAPI: a route keeps what it computed from signatures and models; after a swap, affected routes compute it again.

Decorated endpoints that changed themselves are registered again by the engine. This is for the routes around them:
those that depend on a function whose signature changed, or take or give a model that changed.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .protocol import Adapter

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction


_INCLUDED = ("_effective_candidates_version", "_effective_low_priority_routes_version")
"""What an included router knows its routes by, in versions that compute them when asked."""


class _FastAPI(Adapter):
    library = "fastapi"

    def finish(self, swap: Transaction) -> None:
        routing = sys.modules.get("fastapi.routing")
        if routing is None:
            return
        apps = _apps(swap)
        for app in apps:
            if vars(app).get("openapi_schema") is not None:
                swap.log.set_item(vars(app), "openapi_schema", None)
        changed = {id(item) for item in (*swap.redefined, *swap.reshaped)}
        if changed:
            _forget_kinds(sys.modules.get("fastapi.dependencies.models"))
        routes = list(_routes(apps))
        for route in routes:
            for name in _INCLUDED:
                if hasattr(route, name):  # what it derived from the routes that it includes, it derives again
                    swap.log.note((setattr, route, name, None))
                    setattr(route, name, None)
        for route in routes:
            if changed and hasattr(route, "dependant") and (swap.reshaped or _depends_on(route.dependant, changed)):
                _renew(swap, route)


def _apps(swap: Transaction) -> list[Any]:
    """The FastAPI apps and routers that the app's modules name."""
    kinds = tuple(
        kind
        for module, name in (("fastapi.applications", "FastAPI"), ("fastapi.routing", "APIRouter"))
        if isinstance(kind := getattr(sys.modules.get(module), name, None), type)
    )
    found = {
        id(value): value
        for module in swap.modules.values()
        for value in list(vars(module).values())
        if isinstance(value, kinds)
    }
    return list(found.values())


def _routes(apps: list[Any]) -> Iterator[Any]:
    """Every route of the apps, those of mounted apps and included routers too."""
    waiting, seen = list(apps), set()
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        held = vars(item) if hasattr(item, "__dict__") else {}
        waiting.extend(v for name in ("router", "original_router", "app") if hasattr(v := held.get(name), "routes"))
        routes = held.get("routes")
        if isinstance(routes, list):
            waiting.extend(routes)
        else:
            yield item


def _depends_on(dependant: Any, changed: set[int]) -> bool:
    call = dependant.call
    calls = (call, inspect.unwrap(call) if callable(call) else call, getattr(call, "__func__", None), type(call))
    return any(id(c) in changed for c in calls) or any(_depends_on(d, changed) for d in dependant.dependencies)


def _renew(swap: Transaction, route: Any) -> None:
    """Makes the route anew from what it was made from, and gives the result to the living one."""
    kind = type(route)
    held = vars(route)
    given = {
        name: held[name]
        for name, parameter in inspect.signature(kind.__init__).parameters.items()
        if name in held and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    endpoint = inspect.unwrap(held["endpoint"])
    if isinstance(endpoint, FunctionType) and held.get("response_model") is endpoint.__annotations__.get("return"):
        given.pop("response_model", None)
    fresh = vars(kind(**given))
    for name, value in fresh.items():
        swap.log.set_item(held, name, value)


def _forget_kinds(models: Any) -> None:
    """Whether a callable is a coroutine or generator function is remembered by its identity, which a swap keeps."""
    for value in list(vars(models).values()) if models is not None else ():
        clear = getattr(value, "cache_clear", None)
        if callable(clear):
            clear()


ADAPTER = _FastAPI()

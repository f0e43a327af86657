"""Starlette: an app that is served goes on with the routes and handlers that its module has now.

An app and a mount copy the list of routes that they are given, and the app copies its exception handlers into the stack
of middleware when it answers first. Both follow here, in every app, also in one that only its server holds. Of the
middleware, what is new or changed is made, and the rest goes on as it is; so does a lifespan that has begun.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.undo import fill

from .asgi import take_over
from .protocol import Adapter

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction

_MAX_MIDDLEWARE = 100


@dataclass(frozen=True, slots=True)
class _Listed:
    """A router whose routes came from a list that a module names."""

    router: Any
    module: str
    name: str
    routes: list[Any]


class _Starlette(Adapter):
    library = "starlette"

    def __init__(self) -> None:
        self._listed: list[_Listed] = []
        self._handlers: list[tuple[Any, tuple[bool, dict[Any, Any]]]] = []
        self._stacks: list[tuple[Any, Any, list[Any]]] = []

    def kinds(self) -> Iterable[type]:
        made = (("starlette.applications", "Starlette"), ("starlette.routing", "Router"))
        found = (getattr(sys.modules.get(module), name, None) for module, name in made)
        return tuple(kind for kind in found if isinstance(kind, type))

    def compared(self) -> Iterable[type]:
        return self.kinds()

    def begin(self, swap: Transaction) -> None:
        lists = [
            (module, name, list(value))
            for module, held in swap.modules.items()
            for name, value in list(vars(held).items())
            if type(value) in (list, tuple) and value
        ]
        routers = [router for kind in self.kinds()[1:] for router in swap.living(kind)]  # type: ignore[index]  # a tuple
        self._listed = [
            _Listed(router, module, name, routes)
            for router in routers
            for module, name, routes in lists
            if len(routes) <= len(router.routes) and all(a is b for a, b in zip(routes, router.routes, strict=False))
        ]
        self._handlers = [(app, (app.debug, dict(app.exception_handlers))) for app in _apps(swap)]
        self._stacks = [(app, app.middleware_stack, list(app.user_middleware)) for app in _apps(swap)]
        built = [(app, stack) for app, stack, _ in self._stacks if stack is not None]
        swap.log.do((_give_stacks, [(app, None) for app, _ in built]), (_give_stacks, built))  # so it can be added to

    def replace(self, swap: Transaction, living: Any, made: Any) -> bool:
        if type(living) is not type(made) or not isinstance(made, tuple(self.kinds())):
            return False
        take_over(swap, living, made)
        return True

    def finish(self, swap: Transaction) -> None:
        for listed in self._listed:
            now = vars(swap.modules[listed.module]).get(listed.name) if listed.module in swap.modules else None
            if isinstance(now, (list, tuple)) and not _same(now, listed.routes):
                held = listed.router.routes
                if _same(held[: len(listed.routes)], listed.routes):  # its own statement did not give it others
                    routes = [*now, *held[len(listed.routes) :]]
                    swap.log.do((fill, held, routes), (fill, held, list(held)))
        built = [(app, stack) for app, stack, _ in self._stacks if stack is not None]
        swap.log.do((_give_stacks, built), (_give_stacks, [(app, None) for app, _ in built]))
        for app, stack, middleware in self._stacks:
            if stack is not None and not _same(app.user_middleware, middleware):
                _restack(swap, app, stack, middleware)
        for app, before in self._handlers:
            if (app.debug, app.exception_handlers) != before and app.middleware_stack is not None:
                _renew_handlers(swap, app)
        self._listed, self._handlers, self._stacks = [], [], []


def _apps(swap: Transaction) -> list[Any]:
    return swap.living(getattr(sys.modules.get("starlette.applications"), "Starlette", None))


def _same(routes: Iterable[Any], others: Iterable[Any]) -> bool:
    return list(map(id, routes)) == list(map(id, others))


def _give_stacks(stacks: Iterable[tuple[Any, Any]]) -> None:
    for app, stack in stacks:
        app.middleware_stack = stack


def _restack(swap: Transaction, app: Any, stack: Any, before: list[Any]) -> None:
    """Puts changed middleware into the stack of an app; that which stays goes on with what it holds."""
    layers = list(_layers(stack))
    end = next((i for i, layer in enumerate(layers) if type(layer).__name__ == "ExceptionMiddleware"), 0)
    living = layers[max(end - len(before), 1) : end]  # around these, the library has layers of its own
    if [type(layer) for layer in living] != [item.cls for item in before]:
        swap.log.set_item(vars(app), "middleware_stack", None)  # made anew as a whole, by the next request
        return
    kept = {id(item): layer for item, layer in zip(before, living, strict=True)}
    inner = layers[end]
    for item in reversed(app.user_middleware):
        layer = kept.get(id(item))
        if layer is None:
            layer = item.cls(inner, *item.args, **item.kwargs)
        elif layer.app is not inner:
            swap.log.set_attribute(layer, "app", inner)
        inner = layer
    swap.log.set_attribute(layers[end - len(before) - 1], "app", inner)


def _layers(stack: Any) -> Iterator[Any]:
    for _ in range(_MAX_MIDDLEWARE):
        yield stack
        if (stack := getattr(stack, "app", None)) is None:
            return


def _renew_handlers(swap: Transaction, app: Any) -> None:
    """Gives the middleware that answers for exceptions the handlers that the app has now."""
    last = {key: handler for key, handler in app.exception_handlers.items() if key in (500, Exception)}
    others = {key: handler for key, handler in app.exception_handlers.items() if key not in last}
    for layer in _layers(app.middleware_stack):
        name = type(layer).__name__
        if name in ("ServerErrorMiddleware", "ExceptionMiddleware"):
            swap.log.set_item(vars(layer), "debug", app.debug)
        if name == "ServerErrorMiddleware":
            swap.log.set_item(vars(layer), "handler", next(iter(reversed(last.values())), None))
        elif name == "ExceptionMiddleware":
            fresh = type(layer)(layer.app, handlers=others, debug=app.debug)
            for attribute in ("_exception_handlers", "_status_handlers"):
                swap.log.set_item(vars(layer), attribute, vars(fresh)[attribute])


ADAPTER = _Starlette()

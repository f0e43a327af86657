"""FastAPI: a route keeps what it computed from signatures and models; after a swap, affected routes compute it again.

Decorated endpoints that changed themselves are registered again by the engine. This is for the routes around them:
those that depend on a function whose signature changed, or take or give a model that changed.
"""

from __future__ import annotations

import functools
import inspect
import operator
import sys
import typing
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from types import FunctionType, UnionType
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.kinds import instance_dict, is_a

from .asgi import take_over
from .lifespans import Lifespan
from .protocol import Adapter

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction


_INCLUDED = ("_effective_candidates_version", "_effective_low_priority_routes_version")
"""What an included router knows its routes by, in versions that compute them when asked."""


class _FastAPI(Adapter):
    library = "fastapi"

    def __init__(self) -> None:
        self._inferred: dict[int, Any] = {}
        """By identity, the routes that took their response model from what their endpoint is annotated to return."""
        self._lifespans: list[Lifespan] = []

    def kinds(self) -> Iterable[type]:
        scheme = getattr(sys.modules.get("fastapi.security.base"), "SecurityBase", None)
        return (*_kinds(), scheme) if isinstance(scheme, type) else _kinds()

    def compared(self) -> Iterable[type]:
        return _kinds()

    def replace(self, swap: Transaction, living: object, made: object) -> bool:
        if type(living) is type(made) and callable(living) and _is_dependency(living, _apps(swap)):
            return _take_over(swap, living, made)
        if type(living) is not type(made) or not issubclass(type(made), _kinds()):
            return False
        take_over(swap, living, made)
        return True

    def begin(self, swap: Transaction) -> None:
        routes = (route for route in _routes(_apps(swap)) if hasattr(route, "response_model"))
        self._inferred = {id(route): route for route in routes if _infers_response(route)}
        routers = {id(router): router for app in _apps(swap) if (router := _router(app)) is not None}
        self._lifespans = [Lifespan(router) for router in routers.values()]

    def succeed(self, swap: Transaction, function: object, successors: Mapping[int, tuple[object, object]]) -> bool:
        waiting = {*successors}
        for route in _routes(_apps(swap)):
            if "response_model" not in vars(route) or inspect.unwrap(route.endpoint) is not function:
                continue
            model, met = _exchanged(route.response_model, successors)
            if met and id(route) not in self._inferred:
                swap.log.set_item(vars(route), "response_model", model)
                swap.redefined.append(route.endpoint)  # so that the route is renewed
                waiting -= met
        return not waiting

    def finish(self, swap: Transaction) -> None:
        routing = sys.modules.get("fastapi.routing")
        if routing is None:
            return
        apps = _apps(swap)
        for app in apps:
            if vars(app).get("openapi_schema") is not None:
                swap.log.set_item(vars(app), "openapi_schema", None)
            _give_handlers_back(swap, app)
        for lifespan in self._lifespans:
            lifespan.settle(swap)
        changed = {id(item) for item in (*swap.redefined, *swap.reshaped)}
        if changed:
            models = sys.modules.get("fastapi.dependencies.models")
            swap.log.note((_forget_kinds, models))
            _forget_kinds(models)
        routes = list(_routes(apps))
        for route in routes:
            for name in _INCLUDED:
                if hasattr(route, name):  # what it derived from the routes that it includes, it derives again
                    swap.log.note((setattr, route, name, None))
                    setattr(route, name, None)
        for route in routes:
            _describe(swap, route)
            if changed and hasattr(route, "dependant") and (swap.reshaped or _depends_on(route.dependant, changed)):
                _renew(swap, route, infers=id(route) in self._inferred)
        self._inferred, self._lifespans = {}, []


def _router(app: Any) -> Any:
    """The router of an app, or the router itself."""
    router = vars(app).get("router", app)
    return router if hasattr(router, "lifespan_context") else None


def _is_dependency(living: object, apps: list[Any]) -> bool:
    """Whether routes were made to call the object: a security scheme, or an instance of a class of the app."""
    routes = [route for route in _routes(apps) if hasattr(route, "dependant")]
    waiting = [route.dependant for route in routes]
    for dependant in waiting:
        if dependant.call is living:
            return True
        waiting += dependant.dependencies
    return False


def _take_over(swap: Transaction, living: object, made: object) -> bool:
    """Has the object that routes call go on as the one that was made in its place."""
    held, fresh = instance_dict(living), instance_dict(made)
    if held is None or fresh is None:
        return False
    for name in [name for name in held if name not in fresh]:
        swap.log.delete_item(held, name)
    for name, value in fresh.items():
        swap.log.set_item(held, name, value)
    return True


def _apps(swap: Transaction) -> list[Any]:
    """The living apps and routers, wherever they are held."""
    return list({id(item): item for kind in _kinds() for item in swap.living(kind)}.values())


def _kinds() -> tuple[type, ...]:
    made = (("fastapi.applications", "FastAPI"), ("fastapi.routing", "APIRouter"))
    found = (getattr(sys.modules.get(module), name, None) for module, name in made)
    return tuple(kind for kind in found if isinstance(kind, type))


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


def _give_handlers_back(swap: Transaction, app: Any) -> None:
    """An app has the library's own handlers for errors for which it has no other, as when it is made."""
    handlers = vars(app).get("exception_handlers")
    for error, handler in _own_handlers().items() if handlers is not None else ():
        if error not in handlers:
            swap.log.set_item(handlers, error, handler)


@cache
def _own_handlers() -> dict[Any, Any]:
    return dict(sys.modules["fastapi.applications"].FastAPI(openapi_url=None).exception_handlers)


def _depends_on(dependant: Any, changed: set[int]) -> bool:
    if any(id(item) in changed for item in _called(dependant.call)):
        return True
    return any(_depends_on(inner, changed) for inner in dependant.dependencies)


def _called(call: Any) -> Iterator[Any]:
    """What calling a dependency calls: of a class what makes its instances, of an instance what it answers with."""
    while isinstance(call, partial):
        call = call.func
    inner = inspect.unwrap(call) if callable(call) else call
    yield from (call, inner, getattr(inner, "__func__", None), type(inner))
    for name in ("__init__", "__new__") if isinstance(inner, type) else ("__call__",):
        member = inspect.getattr_static(inner if isinstance(inner, type) else type(inner), name, None)
        if member is not None:
            yield from (member, getattr(member, "__func__", None), inspect.unwrap(member) if callable(member) else None)


def _exchanged(value: Any, successors: Mapping[int, tuple[object, object]]) -> tuple[Any, set[int]]:
    """A type with its successors in the places of what they follow, and of which there were any."""
    if id(value) in successors:
        return successors[id(value)][1], {id(value)}
    parts = [_exchanged(part, successors) for part in typing.get_args(value)]
    met = {key for _, inside in parts for key in inside}
    if not met:
        return value, met
    origin, arguments = typing.get_origin(value), tuple(part for part, _ in parts)
    if origin in (UnionType, typing.Union):
        return functools.reduce(operator.or_, arguments), met
    return (value.copy_with(arguments) if hasattr(value, "copy_with") else origin[arguments]), met


def _describe(swap: Transaction, route: Any) -> None:
    """Lets a route's description follow the docstring that it was taken from."""
    endpoint = getattr(route, "endpoint", None)
    text = swap.documented.get(id(inspect.unwrap(endpoint) if callable(endpoint) else None))
    if text is not None and getattr(route, "description", None) == _description(text["old"]):
        swap.log.set_item(vars(route), "description", _description(text["new"]))


def _description(docstring: str | None) -> str:
    """What of a docstring the schema shows."""
    return inspect.cleandoc(docstring or "").split("\f")[0].strip()


def _infers_response(route: Any) -> bool:
    """Whether a route's response model is what its endpoint is annotated to return."""
    endpoint = inspect.unwrap(route.endpoint)
    if not is_a(endpoint, FunctionType):
        return False
    annotation = endpoint.__annotations__.get("return")
    if isinstance(annotation, str):
        resolve = sys.modules["fastapi.dependencies.utils"].get_typed_annotation
        annotation = endpoint.__globals__.get(annotation) or resolve(annotation, endpoint.__globals__)
    return annotation is not None and route.response_model == annotation


def _renew(swap: Transaction, route: Any, *, infers: bool) -> None:
    """Makes the route anew from what it was made from, and gives the result to the living one."""
    kind = type(route)
    held = vars(route)
    given = {
        name: held[name]
        for name, parameter in inspect.signature(kind.__init__).parameters.items()
        if name in held and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    if infers or _infers_response(route):
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

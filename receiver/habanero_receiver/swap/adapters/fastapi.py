"""FastAPI: a route keeps what it computed from signatures and models; after a swap, affected routes compute it again.

Decorated endpoints that changed themselves are registered again by the engine. This is for the routes around them:
those that depend on a function whose signature changed, or take or give a model that changed.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator
from functools import cache, partial
from types import FunctionType
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.kinds import instance_dict

from .protocol import Adapter

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction


_INCLUDED = ("_effective_candidates_version", "_effective_low_priority_routes_version")
"""What an included router knows its routes by, in versions that compute them when asked."""


_DESCRIPTIVE = (
    "title", "summary", "description", "version", "terms_of_service", "contact", "license_info", "openapi_tags",
    "servers", "openapi_external_docs", "swagger_ui_parameters", "debug",
)  # fmt: skip
"""What an app says of itself in its schema."""
_COLD = (
    "prefix", "tags", "dependencies", "default_response_class", "responses", "deprecated", "include_in_schema",
    "openapi_url", "docs_url", "redoc_url", "swagger_ui_oauth2_redirect_url", "root_path", "redirect_slashes",
)  # fmt: skip
"""What routes took over when they were made."""


class _FastAPI(Adapter):
    library = "fastapi"

    def kinds(self) -> Iterable[type]:
        scheme = getattr(sys.modules.get("fastapi.security.base"), "SecurityBase", None)
        return (*_kinds(), scheme) if isinstance(scheme, type) else _kinds()

    def replace(self, swap: Transaction, living: object, made: object) -> bool:
        if type(living) is type(made) and callable(living) and _is_dependency(living, _apps(swap)):
            return _take_over(swap, living, made)
        if type(living) is not type(made) or not issubclass(type(made), _kinds()):
            return False
        held, fresh = vars(living), vars(made)
        cold = [name for name in _COLD if _shown(held.get(name)) != _shown(fresh.get(name))]
        if cold:
            raise TypeError(
                f"{type(living).__name__}({cold[0]}=...) changed, which one that serves cannot take; "
                "deploy this change with a restart"
            )
        for name in _DESCRIPTIVE:
            if name in fresh:
                swap.log.set_item(held, name, fresh[name])
        return True

    def finish(self, swap: Transaction) -> None:
        routing = sys.modules.get("fastapi.routing")
        if routing is None:
            return
        apps = _apps(swap)
        for app in apps:
            if vars(app).get("openapi_schema") is not None:
                swap.log.set_item(vars(app), "openapi_schema", None)
            _give_handlers_back(swap, app)
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
                _renew(swap, route)


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


def _shown(value: Any) -> Any:
    """Something to compare settings by: defaults are wrapped, and wrappers differ."""
    return getattr(value, "value", value)


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


def _describe(swap: Transaction, route: Any) -> None:
    """Lets a route's description follow the docstring that it was taken from."""
    endpoint = getattr(route, "endpoint", None)
    text = swap.documented.get(id(inspect.unwrap(endpoint) if callable(endpoint) else None))
    if text is not None and getattr(route, "description", None) == _description(text["old"]):
        swap.log.set_item(vars(route), "description", _description(text["new"]))


def _description(docstring: str | None) -> str:
    """What of a docstring the schema shows."""
    return inspect.cleandoc(docstring or "").split("\f")[0].strip()


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

"""Flask's blueprints: what an app took over from one follows what the blueprint has now.

A blueprint hands its rules and hooks on when an app registers it, by calling what it deferred and by copying its
tables. Here that is done again for what a swap added, and taken back for what it dropped. It speaks of blueprints that
are registered; what others put into the app's tables stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.finding.live import cell_content
from habanero_receiver.swap.snapshot import Snapshot
from habanero_receiver.swap.undo import reorder

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction

_HOOKS = (
    "before_request_funcs", "after_request_funcs", "teardown_request_funcs", "url_default_functions",
    "url_value_preprocessors", "template_context_processors",
)  # fmt: skip
"""Tables of lists of functions, by the blueprint's name in an app, and by None in the blueprint."""
_TEMPLATE = ("filters", "tests", "globals")


class Registered:
    """A blueprint as it was before the statements of a swap ran, and under which prefix each app has it."""

    def __init__(self, blueprint: Any, apps: list[Any]) -> None:
        self.blueprint = blueprint
        self.deferred = list(blueprint.deferred_functions)
        self.orders = {id(app): list(app.view_functions) for app in apps}
        self.hooks = {name: {k: list(v) for k, v in getattr(blueprint, name).items()} for name in _HOOKS}
        self.handlers = _flat(blueprint.error_handler_spec)
        self.prefixes = [
            (app, name, self._prefix(app, name))
            for app in apps
            for name, registered in app.blueprints.items()
            if registered is blueprint
        ]

    def _prefix(self, app: Any, name: str) -> str | None:
        """Told by one of the blueprint's rules, as it was given and as it became."""
        for deferred in self.deferred:
            rule, endpoint = str(dict(cells(deferred)).get("rule", "")), _endpoint(deferred)
            for registered in app.url_map.iter_rules() if rule else ():
                if registered.endpoint == f"{name}.{endpoint}" and registered.rule.endswith(rule):
                    return str(registered.rule[: -len(rule)]) or None
        prefix: str | None = self.blueprint.url_prefix
        return prefix

    def hand_on(self, swap: Transaction) -> None:
        """Tells every app of what was added or dropped since."""
        before = {id(deferred) for deferred in self.deferred}
        added = [deferred for deferred in self.blueprint.deferred_functions if id(deferred) not in before]
        if added:  # what these write to is the app's, which the swapped modules need not lead to
            apps = [app for app, _, _ in self.prefixes]
            swap.log.note((Snapshot(apps, frozenset(swap.modules)).restore,))
        for app, name, prefix in self.prefixes:
            parent, _, own = name.rpartition(".")
            options = {"url_prefix": prefix, "name": own, "name_prefix": parent}
            state = self.blueprint.make_setup_state(app, options, first_registration=True)
            for deferred in added:
                deferred(state)
            self._hand_on_hooks(swap, app, name)
            self._hand_on_handlers(swap, app, name)
            self._put_in_order(swap, app, name)

    def _hand_on_hooks(self, swap: Transaction, app: Any, name: str) -> None:
        for table, before in self.hooks.items():
            held, now = getattr(app, table), getattr(self.blueprint, table)
            for key in {**before, **now}:
                was, functions = before.get(key, []), now.get(key, [])
                if list(map(id, was)) != list(map(id, functions)):
                    place = _name_in_app(name, key)
                    known = {id(function) for function in (*was, *functions)}
                    others = [function for function in held.get(place, ()) if id(function) not in known]
                    swap.log.set_item(held, place, [*functions, *others])

    def _hand_on_handlers(self, swap: Transaction, app: Any, name: str) -> None:
        now = _flat(self.blueprint.error_handler_spec)
        for where in {**self.handlers, **now}:
            if self.handlers.get(where) is not now.get(where):
                key, code, error = where
                codes = _inner(swap, app.error_handler_spec, _name_in_app(name, key))
                handlers = _inner(swap, codes, code)
                if where in now:
                    swap.log.set_item(handlers, error, now[where])
                else:
                    swap.log.delete_item(handlers, error)

    def _put_in_order(self, swap: Transaction, app: Any, name: str) -> None:
        """The app's views of the blueprint stand together, in the order of its statements."""
        mine = [f"{name}.{_endpoint(deferred)}" for deferred in self.blueprint.deferred_functions]
        views = app.view_functions
        block = [endpoint for endpoint in dict.fromkeys(mine) if endpoint in views]
        order, before = list(views), self.orders[id(app)]
        others = [endpoint for endpoint in order if endpoint not in block]
        first = next((index for index, endpoint in enumerate(before) if _is_view_of(name, endpoint)), len(before))
        ahead = next((others.index(e) + 1 for e in reversed(before[:first]) if e in others), 0)
        wanted = [*others[:ahead], *block, *others[ahead:]] if first < len(before) else order
        if wanted != order:
            swap.log.do((reorder, views, wanted), (reorder, views, order))


def drop_hooks(swap: Transaction, app: Any, function: object) -> None:
    """Takes a function that a blueprint gave to the whole app out of the app's tables."""
    tables = [vars(app)["teardown_appcontext_funcs"], vars(app)["shell_context_processors"]]
    for name in _HOOKS:
        tables += getattr(app, name).values()
    for functions in tables:
        if any(held is function for held in functions):
            kept = [held for held in functions if held is not function]
            swap.log.do((functions.__setitem__, slice(None), kept), (functions.__setitem__, slice(None), [*functions]))
    for (key, code, error), handler in _flat(app.error_handler_spec).items():
        if handler is function:
            swap.log.delete_item(app.error_handler_spec[key][code], error)
    environment = vars(app).get("jinja_env")
    for name in _TEMPLATE if environment is not None else ():
        held = getattr(environment, name)
        for key in [key for key, value in held.items() if value is function]:
            swap.log.delete_item(held, key)


def closes_over(deferred: Any, target: object, depth: int = 3) -> bool:
    """Whether what a blueprint deferred speaks of a function, or of a class of views."""
    held = [value for _, value in cells(deferred)]
    if any(value is target or getattr(value, "view_class", None) is target for value in held):
        return True
    return depth > 1 and any(closes_over(value, target, depth - 1) for value in held)


def drop_blueprint(swap: Transaction, app: Any, name: str) -> None:
    """Takes all that an app took over from a blueprint, and from those inside it, out of the app's tables."""

    def is_its(key: Any) -> bool:
        return isinstance(key, str) and (key == name or key.startswith(f"{name}."))

    tables = [app.blueprints, app.view_functions, app.error_handler_spec, *(getattr(app, hook) for hook in _HOOKS)]
    for table in tables:
        for key in [key for key in table if is_its(key)]:
            swap.log.delete_item(table, key)


def cells(function: Any) -> Iterator[tuple[str, Any]]:
    """What a function closes over, by name."""
    if isinstance(function, FunctionType):
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            for content in cell_content(cell):
                yield name, content


def _endpoint(deferred: Any) -> str | None:
    held = dict(cells(deferred))
    endpoint: str | None = held.get("endpoint") or getattr(held.get("view_func"), "__name__", None)
    return endpoint


def _is_view_of(name: str, endpoint: str) -> bool:
    return endpoint.rpartition(".")[0] == name


def _name_in_app(name: str, key: str | None) -> str:
    return name if key is None else f"{name}.{key}"


def _flat(spec: Any) -> dict[tuple[Any, Any, Any], Any]:
    """Handlers by blueprint, status code and class of error."""
    return {
        (key, code, error): handler
        for key, codes in list(spec.items())
        for code, handlers in list(codes.items())
        for error, handler in list(handlers.items())
    }


def _inner(swap: Transaction, table: Any, key: Any) -> Any:
    if key not in table:
        swap.log.set_item(table, key, {})
    return table[key]

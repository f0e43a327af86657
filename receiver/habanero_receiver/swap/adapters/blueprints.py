"""Flask's blueprints: what an app took over from one follows what the blueprint has now.

A blueprint hands its rules and hooks on when an app registers it, by calling what it deferred and by copying its
tables. Here that is done again for what a swap added, and taken back for what it dropped. It speaks of blueprints that
are registered; what others put into the app's tables stays.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.snapshot import Snapshot
from habanero_receiver.swap.undo import fill, reorder

from .closures import cells

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction

_HOOKS = (
    "before_request_funcs", "after_request_funcs", "teardown_request_funcs", "url_default_functions",
    "url_value_preprocessors", "template_context_processors",
)  # fmt: skip
"""Tables of lists of functions, by the blueprint's name in an app, and by None in the blueprint."""
_DEPTH = 3
"""How far down what a blueprint defers speaks of the function that it was given."""
_TEMPLATE = ("filters", "tests", "globals")


Table = tuple[Any, Any]
"""A list or dictionary, and what it held."""


@dataclass(frozen=True, slots=True)
class _Place:
    """An app that registered a blueprint, and how, as far as the rules tell that it has of it."""

    app: Any
    name: str
    prefix: str | None
    defaults: dict[str, Any] | None = None
    """The very mapping that its rules share."""


class Registered:
    """A blueprint as it was before the statements of a swap ran, and under which prefix each app has it."""

    def __init__(self, blueprint: Any, apps: list[Any], tables: dict[int, list[Table]]) -> None:
        """``tables`` are those of each app, by its identity, as `tables_of` gives them."""
        self.blueprint = blueprint
        self.deferred = list(blueprint.deferred_functions)
        self.tables = tables
        self.hooks = {name: {k: list(v) for k, v in getattr(blueprint, name).items()} for name in _HOOKS}
        self.handlers = _flat(blueprint.error_handler_spec)
        self.places = [
            self._place(app, name)
            for app in apps
            for name, registered in app.blueprints.items()
            if registered is blueprint
        ]

    def _place(self, app: Any, name: str) -> _Place:
        """Told by the blueprint's rules, as they were given and as they became."""
        prefixes, defaults = [], []
        for deferred in self.deferred:
            held, endpoint = dict(cells(deferred)), _endpoint(deferred)
            rule = str(held.get("rule", ""))
            for registered in app.url_map.iter_rules() if rule else ():
                if registered.endpoint == f"{name}.{endpoint}" and registered.rule.endswith(rule):
                    prefixes.append(str(registered.rule[: -len(rule)]) or None)
                    defaults += [] if "defaults" in held.get("options", ()) else [registered.defaults]
        prefix = prefixes[0] if prefixes else self.blueprint.url_prefix
        return _Place(app, name, prefix, defaults[0] if defaults else None)

    def hand_on(self, swap: Transaction) -> None:
        """Tells every app of what was added or dropped since."""
        before = {id(deferred) for deferred in self.deferred}
        added = [deferred for deferred in self.blueprint.deferred_functions if id(deferred) not in before]
        if added:  # what these write to is the app's, which the swapped modules need not lead to
            apps = [place.app for place in self.places]
            swap.log.note((Snapshot(apps, frozenset(swap.modules)).restore,))
        kept = self._kept()
        dropped = {*map(_endpoint, self.deferred)} - {*map(_endpoint, kept)}
        met: set[int] = set()
        for place in self.places:
            app, name = place.app, place.name
            for endpoint in dropped:  # the app's rules follow its views
                swap.log.delete_item(app.view_functions, f"{name}.{endpoint}")
            parent, _, own = name.rpartition(".")
            options = {"url_prefix": place.prefix, "name": own, "name_prefix": parent}
            state = self.blueprint.make_setup_state(app, options, first_registration=id(app) not in met)
            met.add(id(app))
            state.url_defaults = place.defaults if place.defaults is not None else state.url_defaults
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
                    if functions or others:
                        swap.log.set_item(held, place, [*functions, *others])
                    else:
                        _drop(swap, held, place)

    def _hand_on_handlers(self, swap: Transaction, app: Any, name: str) -> None:
        now = _flat(self.blueprint.error_handler_spec)
        for where in {**self.handlers, **now}:
            if self.handlers.get(where) is not now.get(where):
                key, code, error = _name_in_app(name, where[0]), where[1], where[2]
                if where in now:
                    codes = _inner(swap, app.error_handler_spec, key, defaultdict(dict))
                    swap.log.set_item(_inner(swap, codes, code, {}), error, now[where])
                else:
                    _drop_handler(swap, app, key, code, error)

    def _put_in_order(self, swap: Transaction, app: Any, name: str) -> None:
        """What the app has of the blueprint stands together, in the order of the blueprint's statements."""
        for table, before in self.tables[id(app)]:
            if isinstance(table, list):
                entries = partial(_spoken_of, among=[*table, *before])
            elif table is app.view_functions:
                entries = partial(_endpoints, name)
            else:
                continue
            block = [entry for entry in entries(self.blueprint.deferred_functions) if entry in table]
            kept = [entry for entry in entries(self._kept()) if entry in block]
            first = [entry for entry in entries(self.deferred) if entry in before]
            wanted = _as_block(list(table), block, kept) if kept else _as_block(list(table), block, first, list(before))
            put = fill if isinstance(table, list) else reorder
            if wanted != list(table):
                swap.log.do((put, table, wanted), (put, table, list(table)))

    def _kept(self) -> list[Any]:
        """What the blueprint deferred before, and defers now."""
        now = {id(deferred) for deferred in self.blueprint.deferred_functions}
        return [deferred for deferred in self.deferred if id(deferred) in now]


def _as_block(entries: list[Any], block: list[Any], places: list[Any], before: list[Any] | None = None) -> list[Any]:
    """The entries with those of ``block`` together where the first of ``places`` stands, or stood ``before``."""
    if not block or not places:
        return entries
    others = [entry for entry in entries if entry not in block]
    ahead = list(takewhile(lambda entry: entry not in places, entries if before is None else before))
    known = [index for index, entry in enumerate(others) if entry in ahead]
    place = known[-1] + 1 if known else 0
    return [*others[:place], *block, *others[place:]]


def _spoken_of(deferred: list[Any], among: list[Any]) -> list[Any]:
    """The functions that a blueprint gives to the whole app, in its order."""
    return list(dict.fromkeys(entry for function in deferred for entry in among if closes_over(function, entry)))


def _endpoints(name: str, deferred: list[Any]) -> list[str]:
    return list(dict.fromkeys(f"{name}.{_endpoint(function)}" for function in deferred))


def tables_of(app: Any) -> list[Table]:
    """The tables of an app in which hooks and views are in the order of the statements, each with what it holds."""
    lists = [functions for name in _HOOKS for functions in getattr(app, name).values()]
    tables = [app.view_functions, *lists, vars(app)["teardown_appcontext_funcs"], vars(app)["shell_context_processors"]]
    return [(table, dict(table) if isinstance(table, dict) else list(table)) for table in tables]


def parts_of(value: object) -> list[object]:
    """What an app gets that registers ``value``, a blueprint: its functions, and those of what is nested in it."""
    blueprints, found = sys.modules["flask.sansio.blueprints"], list[object]()
    waiting = [value]
    for blueprint in waiting:
        if isinstance(blueprint, blueprints.Blueprint):
            waiting += [inner for inner, _ in blueprint._blueprints]
            for name in _HOOKS:
                found += [function for functions in getattr(blueprint, name).values() for function in functions]
            level: list[object] = [*blueprint.deferred_functions]
            for _ in range(_DEPTH):
                level = [content for function in level for _, content in cells(function) if callable(content)]
                found += level
    return found


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
            _drop_handler(swap, app, key, code, error)
    environment = vars(app).get("jinja_env")
    for name in _TEMPLATE if environment is not None else ():
        held = getattr(environment, name)
        for key in [key for key, value in held.items() if value is function]:
            swap.log.delete_item(held, key)


def closes_over(deferred: Any, target: object, depth: int = _DEPTH) -> bool:
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


def _endpoint(deferred: Any) -> str | None:
    held = dict(cells(deferred))
    endpoint: str | None = held.get("endpoint") or getattr(held.get("view_func"), "__name__", None)
    return endpoint


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


def _drop_handler(swap: Transaction, app: Any, key: Any, code: Any, error: Any) -> None:
    """Takes a handler of errors out of an app's table, and tables that are empty then."""
    spec = app.error_handler_spec
    codes, handlers = spec[key], spec[key][code]
    _drop(swap, handlers, error)
    if not handlers:
        _drop(swap, codes, code)
    if not codes:
        _drop(swap, spec, key)


def _drop(swap: Transaction, table: Any, name: Any) -> None:
    swap.log.note((reorder, table, list(table)))
    swap.log.delete_item(table, name)


def _inner(swap: Transaction, table: Any, key: Any, fresh: Any) -> Any:
    if key not in table:
        swap.log.set_item(table, key, fresh)
    return table[key]

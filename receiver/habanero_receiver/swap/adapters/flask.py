"""Flask: lets views be added and replaced after the first request, and keeps the URL map without doubles.

A blueprint hands what is added to it on to apps only when it is registered; what a swap adds to one that is registered
already is handed on here.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.undo import fill, reorder

from .blueprints import Registered, closes_over, drop_blueprint, drop_hooks, parts_of, tables_of
from .protocol import Adapter

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction


class _Flask(Adapter):
    library = "flask"

    def __init__(self) -> None:
        self._known: list[Registered] = []
        self._started: list[Any] = []
        self._mapped: list[_Mapped] = []

    def kinds(self) -> Iterable[type]:
        made = (("flask.sansio.app", "App"), ("flask.sansio.blueprints", "Blueprint"))
        found = (getattr(sys.modules.get(module), name, None) for module, name in made)
        return tuple(kind for kind in found if isinstance(kind, type))

    def handed_on(self, value: object) -> Iterable[object]:
        return parts_of(value)

    def replace(self, swap: Transaction, living: object, made: object) -> bool:  # noqa: ARG002  # it refuses
        if type(living) is type(made) and issubclass(type(made), tuple(self.kinds())):
            raise TypeError(
                f"the arguments of {type(made).__name__}(...) changed, which one that serves cannot take; "
                "deploy this change with a restart"
            )
        return False

    def begin(self, swap: Transaction) -> None:
        self._started, self._known = [], []
        apps = _of_kind(swap, "flask.sansio.app", "App")
        self._mapped = [_Mapped(app) for app in apps]
        tables = {id(mapped.app): mapped.tables for mapped in self._mapped}
        for app in apps:
            swap.log.note((reorder, app.view_functions, list(app.view_functions)))
            _rebuild(swap, app.url_map, drop=())  # what is added changes the copy: the old map is there for undo
            if vars(app).get("_got_first_request"):
                self._started.append(app)
                swap.log.set_item(vars(app), "_got_first_request", False)
        for blueprint in _of_kind(swap, "flask.sansio.blueprints", "Blueprint"):
            self._known.append(Registered(blueprint, apps, tables))
            if vars(blueprint).get("_got_registered_once"):
                swap.log.set_item(vars(blueprint), "_got_registered_once", False)

    def forget(self, swap: Transaction, function: object) -> None:
        for app in _of_kind(swap, "flask.sansio.app", "App"):
            for name in [name for name, blueprint in app.blueprints.items() if blueprint is function]:
                _rebuild(swap, app.url_map, drop={e for e in app.view_functions if e.startswith(f"{name}.")})
                drop_blueprint(swap, app, name)
        for app in _of_kind(swap, "flask.sansio.app", "App"):
            endpoints = {name for name, view in app.view_functions.items() if _is_or_wraps(view, function)}
            if endpoints:
                _rebuild(swap, app.url_map, drop=endpoints)
                for name in endpoints:
                    swap.log.delete_item(app.view_functions, name)
        for blueprint in _of_kind(swap, "flask.sansio.blueprints", "Blueprint"):
            kept = [d for d in blueprint.deferred_functions if not closes_over(d, function)]
            if len(kept) != len(blueprint.deferred_functions):
                held = blueprint.deferred_functions
                swap.log.do((fill, held, kept), (fill, held, list(held)))
                for app in _of_kind(swap, "flask.sansio.app", "App"):
                    drop_hooks(swap, app, function)

    def finish(self, swap: Transaction) -> None:
        for known in self._known:
            known.hand_on(swap)
            if known.places:
                swap.log.set_item(vars(known.blueprint), "_got_registered_once", True)
        for mapped in self._mapped:
            mapped.arrange(swap)
            mapped.settle(swap)
        for app in self._started:
            swap.log.set_item(vars(app), "_got_first_request", True)
        self._started, self._known, self._mapped = [], [], []


class _Mapped:
    """An app's rules and views, as they were before the statements of a swap ran."""

    def __init__(self, app: Any) -> None:
        self.app, self.tables = app, tables_of(app)
        self.views, self.blueprints = dict(app.view_functions), list(app.blueprints)
        rules, views = list(vars(app.url_map)["_rules_by_endpoint"]), list(self.views)
        self.together = [name for name in rules if name in self.views] == [name for name in views if name in rules]
        """Whether rules and views are in one order: rules that are equal but for their order follow that of views."""
        classes = [getattr(view, "view_class", None) for view in self.views.values()]
        self.methods = {id(cls): {*(cls.methods or ())} for cls in classes if cls is not None}
        self.decorators = {id(cls): list(cls.decorators) for cls in classes if cls is not None}

    def arrange(self, swap: Transaction) -> None:
        """Puts what came from blueprints where the statements stand that register these."""
        before = {id(table): held for table, held in self.tables}
        now = [(table, before.get(id(table), type(held)())) for table, held in tables_of(self.app)]
        came = [(table, held) for table, held in now if any(entry not in held for entry in table)]
        if came:
            swap.arrange(self.app, came)

    def settle(self, swap: Transaction) -> None:
        """Brings the rules in line with the views, in which the engine has put everything in its place."""
        views, rules = self.app.view_functions, vars(self.app.url_map)["_rules_by_endpoint"]
        for name in self.blueprints:
            if name not in self.app.blueprints:
                drop_blueprint(swap, self.app, name)
        for view in views.values():
            if id(getattr(view, "view_class", None)) in self.methods:
                mine = [rule for name in rules if views.get(name) is view for rule in rules[name]]
                _renew_methods(swap, view, self.methods[id(view.view_class)], mine)
        for endpoint, view in views.items():
            cls: Any = getattr(view, "view_class", None)
            before = self.decorators.get(id(cls))
            if self.views.get(endpoint) is view and before is not None and before != list(cls.decorators):
                why = f"the view {endpoint!r} was made with what they were before"
                swap.report.of(cls.__module__).note_stale(f"{cls.__qualname__}.decorators", why)
        gone = {name for name in rules if name in self.views and name not in views}
        kept = [name for name in rules if name not in gone]
        order = kept
        if self.together:
            placed = iter([name for name in views if name in rules])
            order = [next(placed) if name in views else name for name in kept]
        if gone or order != kept:
            _rebuild(swap, self.app.url_map, drop=gone, order=order)


def _derived_methods(cls: Any) -> set[str]:
    """The methods that a class of views has functions for, as Flask reads them when the class is made."""
    views = sys.modules["flask.views"]
    if not issubclass(cls, views.MethodView):
        return {*(cls.methods or ())}
    inherited = {method for base in cls.__bases__ for method in getattr(base, "methods", None) or ()}
    return inherited | {name.upper() for name in views.http_method_funcs if hasattr(cls, name)}


def _renew_methods(swap: Transaction, view: Any, before: set[str], rules: list[Any]) -> None:
    """Lets the rules of a class of views follow the methods that it has now."""
    cls = view.view_class
    now = _derived_methods(cls)
    if now == before:
        return
    swap.log.set_class_attribute(cls, "methods", now)
    swap.log.set_item(vars(view), "methods", now)
    for rule in rules:
        extra = (rule.methods or set()) - before
        if rule.methods is not None and before <= rule.methods and extra <= {"HEAD", "OPTIONS"}:
            methods = {*now, *(extra - {"HEAD"}), *({"HEAD"} if "GET" in now else ())}
            swap.log.set_item(vars(rule), "methods", methods)


def _rebuild(swap: Transaction, url_map: Any, drop: Collection[str], order: Iterable[str] | None = None) -> None:
    """Gives the map tables of its own, without the rules of the endpoints ``drop``, in an order of endpoints."""
    held = vars(url_map)
    rules_of = held["_rules_by_endpoint"]
    by_endpoint = {name: list(rules_of[name]) for name in order or rules_of if name not in drop}
    matcher = type(held["_matcher"])(held["_matcher"].merge_slashes)
    for rules in by_endpoint.values():
        for rule in rules:
            if not rule.build_only:
                matcher.add(rule)
    swap.log.set_item(held, "_rules_by_endpoint", by_endpoint)
    swap.log.set_item(held, "_matcher", matcher)
    swap.log.set_item(held, "_remap", True)


def _of_kind(swap: Transaction, module: str, name: str) -> list[Any]:
    """The living objects of one of the library's kinds, each once."""
    return swap.living(getattr(sys.modules.get(module), name, None))


def _is_or_wraps(view: Any, function: object) -> bool:
    if getattr(view, "view_class", None) is function:
        return True
    while view is not function and hasattr(view, "__wrapped__"):
        view = view.__wrapped__
    return view is function


ADAPTER = _Flask()

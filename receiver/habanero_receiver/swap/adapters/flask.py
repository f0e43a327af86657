"""Flask: lets views be added and replaced after the first request, and keeps the URL map without doubles.

A blueprint hands what is added to it on to apps only when it is registered; what a swap adds to one that is registered
already is handed on here.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.live import cell_content
from habanero_receiver.swap.undo import Snapshot

from .protocol import Adapter

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction


class _Flask(Adapter):
    library = "flask"

    def __init__(self) -> None:
        self._known: list[_Blueprint] = []
        self._started: list[Any] = []

    def kinds(self) -> Iterable[type]:
        made = (("flask.sansio.app", "App"), ("flask.sansio.blueprints", "Blueprint"))
        found = (getattr(sys.modules.get(module), name, None) for module, name in made)
        return tuple(kind for kind in found if isinstance(kind, type))

    def replace(self, swap: Transaction, living: object, made: object) -> bool:  # noqa: ARG002  # it refuses
        if type(living) is type(made) and issubclass(type(made), tuple(self.kinds())):
            raise TypeError(
                f"the arguments of {type(made).__name__}(...) changed, which one that serves cannot take; "
                "deploy this change with a restart"
            )
        return False

    def begin(self, swap: Transaction) -> None:
        self._started, self._known = [], []
        for app in _of_kind(swap, "flask.sansio.app", "App"):
            _rebuild(swap, app.url_map, drop=())  # what is added changes the copy: the old map is there for undo
            if vars(app).get("_got_first_request"):
                self._started.append(app)
                swap.log.set_item(vars(app), "_got_first_request", False)
        for blueprint in _of_kind(swap, "flask.sansio.blueprints", "Blueprint"):
            self._known.append(_Blueprint(blueprint, _of_kind(swap, "flask.sansio.app", "App")))
            if vars(blueprint).get("_got_registered_once"):
                swap.log.set_item(vars(blueprint), "_got_registered_once", False)

    def forget(self, swap: Transaction, function: object) -> None:
        for app in _of_kind(swap, "flask.sansio.app", "App"):
            endpoints = {name for name, view in app.view_functions.items() if _is_or_wraps(view, function)}
            if endpoints:
                _rebuild(swap, app.url_map, drop=endpoints)
                for name in endpoints:
                    swap.log.delete_item(app.view_functions, name)
        for blueprint in _of_kind(swap, "flask.sansio.blueprints", "Blueprint"):
            kept = [d for d in blueprint.deferred_functions if not _closes_over(d, function)]
            if len(kept) != len(blueprint.deferred_functions):
                swap.log.set_item(vars(blueprint), "deferred_functions", kept)

    def finish(self, swap: Transaction) -> None:
        for known in self._known:
            known.hand_on(swap)
            if known.prefixes:
                swap.log.set_item(vars(known.blueprint), "_got_registered_once", True)
        for app in self._started:
            swap.log.set_item(vars(app), "_got_first_request", True)
        self._started, self._known = [], []


class _Blueprint:
    """A blueprint as it was before the statements of a swap ran, and under which prefix each app has it."""

    def __init__(self, blueprint: Any, apps: list[Any]) -> None:
        self.blueprint = blueprint
        self.deferred = list(blueprint.deferred_functions)
        self.prefixes = [
            (app, name, self._prefix(app, name))
            for app in apps
            for name, registered in app.blueprints.items()
            if registered is blueprint
        ]

    def _prefix(self, app: Any, name: str) -> str | None:
        """Told by one of the blueprint's rules, as it was given and as it became."""
        for deferred in self.deferred:
            cells = dict(_cells(deferred))
            rule, view = str(cells.get("rule", "")), cells.get("view_func")
            endpoint = cells.get("endpoint") or getattr(view, "__name__", None)
            for registered in app.url_map.iter_rules() if rule else ():
                if registered.endpoint == f"{name}.{endpoint}" and registered.rule.endswith(rule):
                    return str(registered.rule[: -len(rule)]) or None
        prefix: str | None = self.blueprint.url_prefix
        return prefix

    def hand_on(self, swap: Transaction) -> None:
        """Tells every app of what was added since."""
        before = {id(deferred) for deferred in self.deferred}
        added = [deferred for deferred in self.blueprint.deferred_functions if id(deferred) not in before]
        if added:  # what these write to is the app's, which the swapped modules need not lead to
            apps = [app for app, _, _ in self.prefixes]
            swap.log.note((Snapshot(apps, frozenset(swap.modules)).restore,))
        for app, name, prefix in self.prefixes if added else ():
            parent, _, own = name.rpartition(".")
            options = {"url_prefix": prefix, "name": own, "name_prefix": parent}
            state = self.blueprint.make_setup_state(app, options, first_registration=True)
            for deferred in added:
                deferred(state)


def _rebuild(swap: Transaction, url_map: Any, drop: Collection[str]) -> None:
    """Gives the map tables of its own, without the rules of the endpoints ``drop``."""
    held = vars(url_map)
    by_endpoint = {name: list(rules) for name, rules in held["_rules_by_endpoint"].items() if name not in drop}
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
    while view is not function and hasattr(view, "__wrapped__"):
        view = view.__wrapped__
    return view is function


def _closes_over(deferred: Any, function: object) -> bool:
    return any(value is function for _, value in _cells(deferred))


def _cells(function: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(function, FunctionType):
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            for content in cell_content(cell):
                yield name, content


ADAPTER = _Flask()

"""Django: resolvers and signals follow; what a model's table, or the settings, are made of is refused.

URL resolvers keep what they computed from ``urlpatterns`` and compute it again. A receiver that is connected otherwise
listens once. A model's fields and options are refused while staging, by name: the class is mapped to a table that a
migration has to change.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.finding.live import subclasses
from habanero_receiver.swap.undo import restore_mapping

from .protocol import Adapter, MemberChange, Objection

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction

_COMPUTED = ("url_patterns", "urlconf_module")
"""Cached properties of resolvers."""
_TABLES: dict[str, Any] = {
    "_reverse_dict": {},
    "_namespace_dict": {},
    "_app_dict": {},
    "_callback_strs": set(),
    "_populated": False,
}
"""What a resolver fills in when it is first asked, and its state before."""
_HOOKS = ("process_view", "process_exception", "process_template_response")
_HELP = "deploy this change with a restart, and a migration of the database where its schema changes"


class _Django(Adapter):
    library = "django"

    def kinds(self) -> Iterable[type]:
        made = (("django.urls.resolvers", "URLResolver"), ("django.dispatch.dispatcher", "Signal"))
        found = (_attribute(module, name) for module, name in made)
        return tuple(kind for kind in found if isinstance(kind, type))

    def owns(self, cls: type) -> bool:
        return issubclass(type(cls), _attribute("django.db.models.base", "ModelBase") or ()) or _is_middleware(cls)

    def judge(self, change: MemberChange) -> Objection | None:
        if _is_middleware(change.cls):
            return _judge_middleware(change)
        options: Any = getattr(change.cls, "_meta", None)
        model = f"model {change.cls.__qualname__}"
        verb = "added to" if change.added else "removed from" if change.removed else "changed in"
        if change.name == "Meta":
            return Objection(f"Meta of {model} (table {getattr(options, 'db_table', '')}) cannot change", _HELP)
        fields = {field.name for field in getattr(options, "local_fields", ())}
        fields |= {field.name for field in getattr(options, "local_many_to_many", ())}
        managers = {manager.name for manager in getattr(options, "local_managers", ())}
        if change.name in fields | managers:
            kind = "field" if change.name in fields else "manager"
            return Objection(f"{kind} {change.name} was {verb} living {model} (table {options.db_table})", _HELP)
        if change.removed or change.kind == "function":
            return None
        try:
            value = change.evaluate()
        except Exception:  # what it reads is not there yet, or it calls code of the app
            return Objection(f"{change.name} was {verb} living {model}, and what it is shows only when it runs", _HELP)
        if hasattr(value, "contribute_to_class"):
            return Objection(f"field {change.name} was {verb} living {model} (table {options.db_table})", _HELP)
        return None

    def forget(self, swap: Transaction, function: object) -> None:
        for signal in swap.living(_attribute("django.dispatch.dispatcher", "Signal")):
            kept = [entry for entry in signal.receivers if not _listens(entry, function)]
            if len(kept) != len(signal.receivers):
                swap.log.set_item(vars(signal), "receivers", kept)
                swap.log.note((signal.sender_receivers_cache.clear,))
                signal.sender_receivers_cache.clear()

    def begin(self, swap: Transaction) -> None:
        for signal in swap.living(_attribute("django.dispatch.dispatcher", "Signal")):
            swap.log.note((_restore_receivers, signal, signal.receivers, list(signal.receivers)))
        _forget_routes(swap)

    def finish(self, swap: Transaction) -> None:
        _follow_querysets(swap)
        _forget_routes(swap)
        urls = sys.modules.get("django.urls")
        kind = _attribute("django.urls.resolvers", "URLResolver")
        if kind is None or urls is None:
            return
        swap.log.note((urls.clear_url_caches,))  # what is computed from the swapped patterns goes with them
        for resolver in {id(item): item for item in (*swap.living(kind), *_resolvers(swap, kind))}.values():
            _forget_converters(swap, resolver)
            held = vars(resolver)
            for name in _COMPUTED:
                swap.log.delete_item(held, name)
            for name, empty in _TABLES.items():
                if held.get(name):
                    swap.log.set_item(held, name, empty.copy() if isinstance(empty, (dict, set)) else empty)
        urls.clear_url_caches()


def _attribute(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, None)


def _is_middleware(cls: type) -> bool:
    settings: Any = _attribute("django.conf", "settings")
    return settings.configured and f"{cls.__module__}.{cls.__qualname__}" in settings.MIDDLEWARE


def _judge_middleware(change: MemberChange) -> Objection | None:
    """Which hooks a middleware has is asked when the server starts; what they do may change."""
    if change.name not in _HOOKS or not (change.added or change.removed):
        return None
    verb = "added to" if change.added else "removed from"
    reason = f"{change.name} was {verb} middleware {change.cls.__qualname__}, which Django asks for its hooks at start"
    return Objection(reason, "deploy this change with a restart")


def _follow_querysets(swap: Transaction) -> None:
    """Managers that were made of a class of querysets have the methods that it has now."""
    waiting = [kind] if (kind := _attribute("django.db.models.manager", "BaseManager")) is not None else []
    while waiting:
        waiting += subclasses(manager := waiting.pop())
        queryset = vars(manager).get("_queryset_class")
        if queryset is None or queryset.__module__ not in swap.modules:
            continue
        base: Any = manager.__bases__[0]
        wanted = base._get_queryset_methods(queryset)
        held = {name: value for name, value in vars(manager).items() if hasattr(value, "__wrapped__")}
        for name in wanted.keys() - vars(manager).keys():
            swap.log.set_class_attribute(manager, name, wanted[name])
        for name in held.keys() - wanted.keys():
            swap.log.delete_class_attribute(manager, name)


def _forget_routes(swap: Transaction) -> None:
    """Django remembers for each route what it was made into, with the converters of then."""
    forget = getattr(_attribute("django.urls.resolvers", "_route_to_regex"), "cache_clear", None)
    if forget is not None:
        swap.log.note((forget,))
        forget()


def _forget_converters(swap: Transaction, resolver: Any) -> None:
    """A path is made into a regular expression once, with those of its converters."""
    for entry in (resolver, *vars(resolver).get("url_patterns", ())):
        pattern = vars(entry).get("pattern")
        converters = getattr(pattern, "converters", None) or {}
        if any(type(item).__module__ in swap.modules for item in converters.values()):
            fresh = type(pattern)(pattern._route, pattern.name, pattern._is_endpoint)
            swap.log.note((restore_mapping, vars(pattern), dict(vars(pattern))))
            vars(pattern).clear()
            vars(pattern).update(vars(fresh))


def _listens(entry: tuple[Any, ...], function: object) -> bool:
    """Whether a signal's entry calls the function; its second part is the receiver or a weak reference to it."""
    receiver = entry[1]() if isinstance(entry[1], weakref.ReferenceType) else entry[1]
    return receiver is function


def _restore_receivers(signal: Any, receivers: list[Any], content: list[Any]) -> None:
    receivers[:] = content
    signal.receivers = receivers
    signal.sender_receivers_cache.clear()


def _resolvers(swap: Transaction, kind: Any) -> Iterator[Any]:
    """Every resolver that the app's ``urlpatterns`` lead to."""
    waiting = [
        entry
        for module in swap.modules.values()
        if isinstance(patterns := vars(module).get("urlpatterns"), (list, tuple))
        for entry in patterns
    ]
    seen: set[int] = set()
    while waiting:
        entry = waiting.pop()
        if not isinstance(entry, kind) or id(entry) in seen:
            continue
        seen.add(id(entry))
        yield entry
        if isinstance(entry.urlconf_name, (list, tuple)):
            waiting.extend(entry.urlconf_name)


ADAPTER = _Django()

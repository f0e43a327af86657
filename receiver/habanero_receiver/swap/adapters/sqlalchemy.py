"""SQLAlchemy: what is mapped stays as it is while the process lives; methods of mapped classes change.

A mapped class is instrumented, and the database has its table: a changed column, relationship or table name is refused
while staging, by name. Listeners that are registered again are taken off where they listened before.
"""

from __future__ import annotations

import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.undo import UndoLog

from .protocol import Adapter, MemberChange, Objection

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction

_HELP = "deploy this change with a restart, and a migration of the database where its schema changes"
_SPECIAL = ("__tablename__", "__table__", "__table_args__", "__mapper_args__", "__abstract__")
_MAPPED = frozenset({"MapperProperty", "Column", "MappedColumn", "_MappedAttribute", "_DCAttributeOptions", "Mapped"})
"""The classes, by name, of what a mapper takes out of a class's body."""
_MARKS = ("__sa_validators__", "__sa_reconstructor__", "_sa_decl_prop")
"""What a decorator leaves on a function that the mapper read when the class was made."""


class _SQLAlchemy(Adapter):
    library = "sqlalchemy"

    def owns(self, cls: type) -> bool:
        return "__mapper__" in vars(cls) or _is_abstract(cls)

    def judge(self, change: MemberChange) -> Objection | None:
        if change.name in _SPECIAL:
            return Objection(f"{change.name} of {_place(change.cls)} cannot change while the class lives", _HELP)
        verb = "added to" if change.added else "removed from" if change.removed else "changed in"
        mapped = _mapped_as(change.cls, change.name)
        if mapped:
            return Objection(f"{mapped} was {verb} a living mapped class", _HELP)
        if change.removed:
            return None
        try:
            value = change.evaluate()
        except Exception:  # what it reads is not there yet, or it calls code of the app
            value = None if change.kind == "function" else _UNKNOWN
        if value is _UNKNOWN or _is_mapped(value) or _is_field(change):
            return Objection(f"{_column(change.cls, change.name)} was {verb} a living mapped class", _HELP)
        old = vars(change.cls).get(change.name)
        if any(hasattr(item, mark) for item in (value, old) for mark in _MARKS):
            return Objection(
                f"{change.cls.__qualname__}.{change.name} was {verb} a living mapped class, whose validators and "
                "loading hooks are read when it is made", _HELP,
            )  # fmt: skip
        return None

    def begin(self, swap: Transaction) -> None:
        swap.log.note((_drop_since, set(sys.modules["sqlalchemy.event.registry"]._key_to_collection)))

    def forget(self, swap: Transaction, function: object) -> None:
        for key, collection, listener in list(_listeners(lambda key: key[2] == id(function))):
            _drop(swap.log, key, collection, listener)


_UNKNOWN: Any = object()


def _is_abstract(cls: type) -> bool:
    """Whether it is a base or a mixin from which mapped classes inherit their columns."""
    base = getattr(sys.modules.get("sqlalchemy.orm"), "DeclarativeBase", None)
    return base is not None and issubclass(cls, base) and cls is not base


def _place(cls: type) -> str:
    table = getattr(cls, "__table__", None)
    return f"{cls.__qualname__} (table {table.name})" if table is not None else cls.__qualname__


def _column(cls: type, name: str) -> str:
    table = getattr(cls, "__table__", None)
    return f"column {table.name}.{name}" if table is not None else f"{cls.__qualname__}.{name}"


def _mapped_as(cls: type, name: str) -> str:
    """What of the living mapper has this name, in words; empty if nothing does."""
    mapper = vars(cls).get("__mapper__")
    known = mapper._props.get(name) or mapper._init_properties.get(name) if mapper is not None else None
    if known is None:
        return ""
    columns = getattr(known, "columns", None)
    if columns:
        return f"column {columns[0].table.name}.{columns[0].name}"
    return f"{type(known).__name__.lower().removesuffix('property')} {cls.__qualname__}.{name}"


def _is_field(change: MemberChange) -> bool:
    """Whether the class is a model too (SQLModel): its variables are columns, whatever their values are."""
    is_variable = change.kind == "assign" and not change.name.startswith("_")
    return is_variable and "__pydantic_decorators__" in vars(change.cls)


def _is_mapped(value: Any) -> bool:
    """Whether the mapper would take this value of a class body, or annotation, for one of its own."""
    if isinstance(value, str):
        return "Mapped[" in value
    origin = getattr(value, "__origin__", value)
    kinds = {kind.__name__ for kind in (*type(value).__mro__, *(origin.__mro__ if isinstance(origin, type) else ()))}
    return not kinds.isdisjoint(_MAPPED)


def _listeners(wanted: Callable[[Any], bool]) -> Iterator[tuple[Any, Any, Any]]:
    """The registrations whose keys are wanted: the key, the collection, and the listener that is in it."""
    registry = sys.modules["sqlalchemy.event.registry"]
    for key, collections in list(registry._key_to_collection.items()):
        if wanted(key):
            for collection_ref, listener_ref in list(collections.items()):
                collection, listener = collection_ref(), listener_ref()
                if collection is not None and listener is not None:
                    yield key, collection, listener


def _drop(log: UndoLog, key: Any, collection: Any, listener: Any) -> None:
    """Takes a listener out of a collection, and out of what is known of it."""
    registry = sys.modules["sqlalchemy.event.registry"]
    for listeners in _deques(collection):
        if listener in listeners:
            place = list(listeners).index(listener)
            log.do((listeners.remove, listener), (listeners.insert, place, listener))
    by_key, by_listener = registry._key_to_collection, registry._collection_to_key[collection.ref]
    held = by_key[key]
    log.delete_item(held, collection.ref)
    log.delete_item(by_listener, weakref.ref(listener))
    if not held:
        log.delete_item(by_key, key)


def _deques(collection: Any) -> list[Any]:
    """The listeners of one event: of one object, or of a class and those that inherit from it."""
    of_classes = getattr(collection, "_clslevel", None)
    found = list(of_classes.values()) if of_classes is not None else [getattr(collection, "listeners", None)]
    return [listeners for listeners in found if isinstance(listeners, deque)]


def _drop_since(known: set[Any]) -> None:
    """Takes off the listeners that came since, when a swap is undone."""
    for key, collection, listener in list(_listeners(lambda key: key not in known)):
        _drop(UndoLog(), key, collection, listener)


ADAPTER = _SQLAlchemy()

"""Arguments of an ASGI app or router whose own statement changed: what the living one takes over, and what it cannot.

The living object has more in it than its statement gave: routes, handlers and middleware that others added. What the
older form of the statement made is therefore compared with what the new form made, and only what differs is changed.
The rule that it upholds: a difference is taken over, named as stale, or refused with its name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.undo import fill

if TYPE_CHECKING:
    from habanero_receiver.swap.transaction import Transaction

DESCRIPTIVE = frozenset({
    "title", "summary", "description", "version", "terms_of_service", "contact", "license_info", "openapi_tags",
    "servers", "openapi_external_docs", "swagger_ui_parameters", "swagger_ui_init_oauth", "root_path_in_servers",
    "separate_input_output_schemas", "extra", "debug", "redirect_slashes",
})  # fmt: skip
"""What is read anew whenever it is needed."""
_MERGED = frozenset({
    "routes", "user_middleware", "exception_handlers", "lifespan_context", "on_startup", "on_shutdown",
})  # fmt: skip
"""What others add to, or what begins once."""
_OWN = frozenset({
    "router", "state", "middleware_stack", "default", "webhooks", "dependency_overrides", "openapi_schema",
    "dependency_overrides_provider",
})  # fmt: skip
"""What an app makes for itself, with every start."""
_OF_ROUTES = ("path", "endpoint", "name", "methods", "include_in_schema")
GIVEN = frozenset({"middleware", "exception_handlers", "lifespan", "routes", "on_startup", "on_shutdown"})
"""The arguments that fill what others add to."""


def take_over(swap: Transaction, living: Any, made: Any) -> None:
    """Has a living app or router become what its statement makes now.

    Raises TypeError if it cannot while it serves.
    """
    earlier = swap.earlier
    before: Any = earlier.made if earlier is not None else None
    if type(before) is not type(made):
        if earlier is None or earlier.gave(GIVEN) or _gives(made):
            raise TypeError(_refusal(made, "what is given to it", "; what it was given before cannot be told"))
        before = None
    changes = list(_changes(living, before, made))
    for change in changes:
        if change.name not in DESCRIPTIVE | _MERGED:
            raise TypeError(_refusal(made, f"{change.name}=..."))
    for change in changes:
        change.carry_out(swap)
    _share_routes(swap, getattr(living, "router", living).routes, getattr(made, "router", made).routes)


def _share_routes(swap: Transaction, living: list[Any], made: list[Any]) -> None:
    """Has a list that the new form was given, by its name, hold the routes that the living object goes on with."""
    left = list(living)
    stay = {id(entry): taken for entry in made if (taken := _taken(left, entry)) is not entry}
    for named in (value for module in swap.modules.values() for value in list(vars(module).values())):
        if type(named) is list and any(id(entry) in stay for entry in named):
            entries = [stay.get(id(entry), entry) for entry in named]
            swap.log.do((fill, named, entries), (fill, named, list(named)))


def _refusal(made: object, what: str, why: str = "") -> str:
    kind = type(made).__name__
    return f"{kind}({what}) changed, which one that serves cannot take{why}; deploy this change with a restart"


def _gives(made: Any) -> bool:
    return bool(getattr(made, "user_middleware", ()))


@dataclass(frozen=True, slots=True)
class _Change:
    """One attribute of an app, or of its router, that the older form of its statement made otherwise."""

    owner: Any
    name: str
    before: Any
    made: Any

    def carry_out(self, swap: Transaction) -> None:
        """Brings the living object in line."""
        held = vars(self.owner)
        if self.name in DESCRIPTIVE:
            swap.log.set_item(held, self.name, self.made)
        elif self.name == "exception_handlers":
            for key in {**self.before, **self.made}:
                self._exchange_handler(swap, held[self.name], key)
        elif self.name in ("user_middleware", "routes"):
            self._exchange_entries(swap, held[self.name])
        else:
            assert swap.earlier is not None  # it is by this that the change was seen
            why = f"{self.name} changed, and it has begun: from the next start on"
            swap.report.of(swap.earlier.module).note_stale(swap.earlier.unit.label, why)

    def _exchange_handler(self, swap: Transaction, handlers: dict[Any, Any], key: Any) -> None:
        had, now = self.before.get(key), self.made.get(key)
        if had is now or handlers.get(key) is not had:  # another statement has the last word on it
            return
        if now is None:
            swap.log.delete_item(handlers, key)
        else:
            swap.log.set_item(handlers, key, now)

    def _exchange_entries(self, swap: Transaction, entries: list[Any]) -> None:
        """Others put middleware before what was given, and routes behind it."""
        count = len(self.before)
        first = len(entries) - count if self.name == "user_middleware" else 0
        held = entries[first : first + count]
        if len(held) != count or not all(map(_alike, held, self.before)):
            raise TypeError(_refusal(self.owner, self.name, ": it was given other ones since"))
        left = list(held)
        wanted = [_taken(left, entry) for entry in self.made]
        result = [*entries[:first], *wanted, *entries[first + count :]]
        swap.log.do((fill, entries, result), (fill, entries, list(entries)))


def _taken(left: list[Any], entry: Any) -> Any:
    """The living one that is like an entry, or the entry itself."""
    for index, held in enumerate(left):
        if _alike(held, entry):
            return left.pop(index)
    return entry


def _changes(living: Any, before: Any, made: Any) -> Iterator[_Change]:
    """What the statement makes otherwise now. Where its older form cannot be told, others added to what is compared."""
    skipped = _OWN if before is not None else _OWN | _MERGED
    yield from _differences(living, living if before is None else before, made, skipped)
    if "router" in vars(made):
        old = living if before is None else before
        yield from _differences(living.router, old.router, made.router, skipped)


def _differences(owner: Any, before: Any, made: Any, skipped: Collection[str]) -> Iterator[_Change]:
    old, new = vars(before), vars(made)
    for name in new:
        if name in skipped or name.startswith("_"):
            continue
        if not _alike(old.get(name), new[name]):
            yield _Change(owner, name, old.get(name), new[name])


def _alike(value: Any, other: Any) -> bool:
    """Whether two arguments say the same; what a library makes anew for each object says nothing."""
    value, other = getattr(value, "value", value), getattr(other, "value", other)  # defaults are wrapped
    if value is other or type(value) is not type(other):
        return value is other
    if isinstance(value, (list, tuple)):
        return len(value) == len(other) and all(map(_alike, value, other))
    if isinstance(value, dict):
        return value.keys() == other.keys() and all(_alike(value[key], other[key]) for key in value)
    if isinstance(value, FunctionType):
        made_again = _is_library(value.__module__) or value.__name__ == "<lambda>"
        return made_again and value.__code__ == other.__code__ and value.__module__ == other.__module__
    if isinstance(value, MethodType):
        return value.__func__ is other.__func__
    if type(value).__module__ == "starlette.middleware":
        return _alike(tuple(value), tuple(other))
    if _is_library(type(value).__module__) and hasattr(value, "routes"):
        return _alike(getattr(value, "path", ""), getattr(other, "path", "")) and _alike(value.routes, other.routes)
    if _is_library(type(value).__module__) and hasattr(value, "endpoint"):
        return all(_alike(getattr(value, name, None), getattr(other, name, None)) for name in _OF_ROUTES)
    compares: Any = type(value).__eq__
    if compares is object.__eq__ and _is_library(type(value).__module__):
        return True
    return bool(value == other)


def _is_library(module: str | None) -> bool:
    return (module or "").partition(".")[0] in ("starlette", "fastapi")

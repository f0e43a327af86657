"""Moves a living class that derives from its body to a new body, through a twin made from that body.

The twin is a second class of the same name and bases, seen by no one: its fields are evaluated, its decorators and its
metaclass derive what they derive, and the result moves into the living class. Functions of the body are those of the
living class, which took their changes before. The twin is dropped then.

The rule that it upholds: members that did not change keep their live values; a member is evaluated again only if that
can be seen by no one, or if it changed.
"""

from __future__ import annotations

import enum
import types
import typing
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from types import FunctionType
from typing import Any

from habanero_receiver.swap.building.units import CALLS, DECORATORS_NAME, Unit
from habanero_receiver.swap.containers.registry import Registrations
from habanero_receiver.swap.diff import Match
from habanero_receiver.swap.finding.live import orphan, subclasses
from habanero_receiver.swap.finding.reach import roots_of
from habanero_receiver.swap.kinds import function_of, is_a, own_attribute
from habanero_receiver.swap.statements.scope import Scope
from habanero_receiver.swap.transaction import Transaction

from .adopt import adopt
from .fill import give_defaults
from .layouts import LayoutError, layout, slots
from .shapes import can_follow, collects_decorated, own_init_subclass, special_kind

_PYTHONS_OWN_METACLASSES = ("builtins", "abc", "enum", "typing")


_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Reshape:
    """Gives a living class what its new body derives. ``scope`` is the one around the class."""

    scope: Scope
    unit: Unit
    cls: type
    members: tuple[Match, ...]
    instances: Callable[[], Iterable[object]] = tuple
    """The living instances, to be given the defaults of new fields."""
    again: bool = False
    """Whether the class is to be registered again, though nothing of it changed."""

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        cls = self.cls
        changed = tuple(m for m in self.members if not m.same and (m.new or m.old).kind not in ("function", "class"))  # type: ignore[union-attr]  # a match has one of the two
        hook = own_init_subclass(cls, self.scope.is_own)
        roots = registries_of(self.unit, cls, hook, self.scope)
        registered = Registrations(work.graph, roots)
        twins: list[type] = []
        try:
            twin = self.make_twin(twins)
            if roots:
                if changed or hook is not None or self.again:
                    registered.settle(work.log, [cls], [twin])
                    _put_in_place(work, registered.changed(), twin, cls)
                else:
                    registered.restore()
            self.check(twin)
            names = {name for match in changed for unit in (match.old, match.new) if unit for name in unit.names}
            body = {name: m.new.kind for m in self.members if m.new is not None for name in m.new.names}
            adopt(work, cls, twin, body, names, self.instances)
            for adapter in work.adapters:
                adapter.reshape(work, cls, twin)
            give_defaults(work.log, cls, self.instances())
        finally:
            for made in twins:
                orphan(made)
        work.reshaped.append(cls)
        _reshape_subclasses(work, self.scope, cls)

    def make_twin(self, twins: list[type]) -> type:
        """Makes the twin; every class made on the way is noted in ``twins``."""
        bases, keywords = self._header()
        twin = types.new_class(self.unit.spelled, bases, keywords, self._fill)
        twins.append(twin)
        for decorator in reversed(self._decorators()):
            if derives_by(self.scope, decorator):
                result = decorator(twin)
                if is_a(result, type) and result is not twin:  # with slots, a decorator makes another class
                    twins.append(twin := result)
        return twin

    def _header(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        names: dict[str, Any] = {p.__name__: p for p in getattr(self.cls, "__type_params__", ())}
        living = self.cls.__dict__.get("__orig_bases__", self.cls.__bases__)
        if self.unit.bases is None:
            return living, {}
        names = self.scope.namespace() | names
        self.scope.run(self.unit.bases, names)
        bases, keywords = names[DECORATORS_NAME]
        return (living if getattr(self.cls, "__type_params__", ()) else bases), keywords

    def builds_on(self, other: type) -> bool:
        """Whether the class statement names another class among its bases, whatever becomes of these."""
        return typing.is_typeddict(self.cls) and any(other in (b, typing.get_origin(b)) for b in self._header()[0])

    def _decorators(self) -> tuple[Any, ...]:
        if self.unit.decorate is None:
            return ()
        names = self.scope.namespace()
        self.scope.run(self.unit.decorate, names)
        return tuple(names[DECORATORS_NAME])

    def _fill(self, namespace: dict[str, Any]) -> None:
        """Makes the body's namespace, member by member in the order of the source."""
        cls = self.cls
        inside = self.scope.inside(cls)
        namespace["__module__"], namespace["__qualname__"] = cls.__module__, cls.__qualname__
        if self.unit.doc is not None:
            namespace["__doc__"] = self.unit.doc
        for match in self.members:
            unit = match.new
            if unit is None:
                continue
            if unit.kind in ("function", "class"):
                self._put(namespace, unit.names[0], self._member(inside, unit))
                if unit.names[0] in namespace:
                    self._registers(namespace, inside, unit)
            elif match.same and not runs_unseen(inside, unit) and self._keep(inside, namespace, unit):
                continue
            else:
                inside.run(unit.code, namespace)

    def _registers(self, namespace: dict[str, Any], inside: Scope, unit: Unit) -> None:
        """Has decorators of a method that are fields of this body (``@price.validator``) meet the fields made now."""
        fields = {name for m in self.members if m.new is not None and m.new.kind == "assign" for name in m.new.names}
        if unit.decorate is None or fields.isdisjoint(unit.decorate.co_names):
            return
        names = dict(namespace)
        inside.run(unit.decorate, names)
        for decorator in reversed(names[DECORATORS_NAME]):
            namespace[unit.names[0]] = decorator(namespace[unit.names[0]])

    def _member(self, inside: Scope, unit: Unit) -> Any:
        """The living function or class of the body, as the class statement would have found it."""
        cls, name = self.cls, unit.names[0]
        if name == "__new__" and is_a(cls, enum.EnumType):
            return vars(cls).get("__new_member__", _ABSENT)  # the class itself holds another one
        value = vars(cls).get(name, _ABSENT)
        maker = type(cls).__module__
        consumed = maker.partition(".")[0] not in _PYTHONS_OWN_METACLASSES and not self.scope.is_own(maker)
        consumed = consumed or collects_decorated(cls)
        if unit.decorate is not None and consumed and value is not _ABSENT:
            names = inside.namespace()
            inside.run(unit.decorate, names)
            value = _undecorated(value)
            for decorator in reversed(names[DECORATORS_NAME]):
                value = decorator(value)
        return value

    def _keep(self, inside: Scope, namespace: dict[str, Any], unit: Unit) -> bool:
        """Takes over a member that did not change, with its live value; returns whether there is one."""
        cls = self.cls
        for name in unit.names:
            value = vars(cls).get(name, _ABSENT)
            if value is _ABSENT:
                fields = vars(cls).get("__dataclass_fields__") or vars(cls).get("__pydantic_fields__") or {}
                field = fields.get(name, _ABSENT)
                value = getattr(field, "_original_assignment", field)  # what pydantic was given, as far as it keeps it
            if is_a(value, enum.Enum) and type(value) is cls:
                value = value._value_
            if value is _ABSENT:
                return False
            if type(value).__name__ != "PydanticUndefinedType":
                self._put(namespace, name, value)
        if unit.annotate is not None:
            inside.run(unit.annotate, namespace)
        return True

    def _put(self, namespace: dict[str, Any], name: str, value: Any) -> None:
        if value is not _ABSENT:
            namespace[name] = value

    def check(self, twin: type) -> None:
        """Raises LayoutError if living instances could not be instances of the twin."""
        cls = self.cls
        if not _same_metaclass(cls, twin):
            raise LayoutError(f"{cls.__qualname__}: a living class cannot change its metaclass")
        if layout(twin) != layout(cls):
            raise LayoutError(
                f"{cls.__qualname__}: a living class cannot change its slots ({', '.join(slots(cls)) or 'none'}) "
                f"to ({', '.join(slots(twin)) or 'none'})"
            )


def derives_by(scope: Scope, decorator: Any) -> bool:
    """Whether a decorator is a library's that looks at the class alone; a bound method could register it somewhere."""
    while is_a(decorator, partial):  # `attrs.frozen` is one
        decorator = decorator.func
    return is_a(decorator, FunctionType) and not scope.is_own(decorator.__module__ or "")


def _same_metaclass(cls: Any, twin: Any) -> bool:
    return type(cls) is type(twin)


def runs_unseen(scope: Scope, unit: Unit) -> bool:
    """Whether evaluating a member again, for the twin alone, can be seen by no one."""
    return unit.effect <= CALLS and all(scope.is_outside(scope.lookup(root)) for root in unit.call_roots)


def _undecorated(value: Any) -> Any:
    for name in ("wrapped", "__func__", "fget", "func"):
        inner = own_attribute(value, name)
        if inner is not None and not is_a(value, FunctionType):
            return _undecorated(inner)
    return value


def registries_of(unit: Unit, cls: type, hook: FunctionType | None, scope: Scope) -> list[object]:
    """What making the class, or a twin of it, could write to: what the app's own hooks and decorators read."""
    hooks = [hook] if hook is not None else []
    if scope.is_own(type(cls).__module__):
        members = [function_of(member) for member in vars(type(cls)).values()]
        hooks.extend(member for member in members if is_a(member, FunctionType))
    roots: list[object] = [root for f in hooks for root in roots_of(f.__code__, f.__globals__, scope.is_own)]
    if hooks:
        makers = [*cls.__mro__[1:], *type.mro(type(cls))]
        roots.extend(maker for maker in makers if scope.is_own(maker.__module__))
    return [*roots, *roots_of(unit.decorate, scope.visible(), scope.is_own)]


def _put_in_place(work: Transaction, containers: Iterable[Any], twin: type, cls: type) -> None:
    """Where the twin was registered, also by a weak reference, the living class is."""
    for container in containers:
        if is_a(container, dict):
            for key, value in list(container.items()):
                if (mine := _renewed(value, twin, cls)) is not value:
                    work.log.set_item(container, key, mine)
                if (mine := _renewed(key, twin, cls)) is not key:
                    work.log.set_item(container, mine, container[key])
                    work.log.delete_item(container, key)
        elif is_a(container, set):
            for item in list(container):
                if (mine := _renewed(item, twin, cls)) is not item:
                    work.log.do((container.discard, item), (container.add, item))
                    work.log.do((container.add, mine), (container.discard, mine))
        else:
            for index, item in enumerate(container):
                if (mine := _renewed(item, twin, cls)) is not item:
                    work.log.do((container.__setitem__, index, mine), (container.__setitem__, index, item))


def _renewed(item: Any, twin: type, cls: type) -> Any:
    """What to hold instead of the twin or a weak reference to it; anything else is given back."""
    if item is twin:
        return cls
    if not is_a(item, weakref.ref) or item() is not twin:
        return item
    if is_a(item, weakref.KeyedRef):
        return weakref.KeyedRef(cls, item.__callback__, item.key)
    return type(item)(cls, item.__callback__)


def subclasses_of(cls: type, scope: Scope) -> list[type]:
    """The app's own living classes that inherit from ``cls``, nearest first."""
    found: list[type] = []
    for sub in subclasses(cls):
        if scope.is_own(sub.__module__) and sub not in found:
            found.append(sub)
            found.extend(s for s in subclasses_of(sub, scope) if s not in found)
    return found


def _find(units: Iterable[Unit], path: str) -> Unit | None:
    """The class of that qualified name among a module's units."""
    found = None
    for name in path.split("."):
        found = next((u for u in units if u.kind == "class" and u.names[0] == name), None)
        units = () if found is None else found.members
    return found


def _reshape_subclasses(work: Transaction, scope: Scope, cls: type) -> None:
    """Has the classes built on ``cls`` derive again what they inherit from it, or copied."""
    copies = typing.is_typeddict(cls)  # these copy what they are built on, and inherit from dict alone
    for sub in subclasses_of(dict if copies else cls, scope):
        module = work.modules.get(sub.__module__)
        if module is None or sub in work.reshaped or not special_kind(sub) or not can_follow(sub, scope.is_own):
            continue
        unit = _find(work.units_of(sub.__module__), sub.__qualname__)
        if unit is not None:
            inner = replace(scope, globals=vars(module), owner=None)
            again = Reshape(inner, unit, sub, tuple(Match(m, m) for m in unit.members))
            if not copies or again.builds_on(cls):
                again(work)

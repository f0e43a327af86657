"""The statements of the new code that are run inside a commit, each with what makes it come out right in a live module.

A step changes the live process only through the undo log of the commit, or in containers that were copied beforehand.
It may raise anything, since it runs the user's code; whoever runs it undoes the log then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any, Protocol

from habanero_receiver.swap.building.units import DECORATORS_NAME, PURE, Unit
from habanero_receiver.swap.classes.adopt import gives_way, remake
from habanero_receiver.swap.classes.shapes import own_init_subclass
from habanero_receiver.swap.classes.twins import registries_of
from habanero_receiver.swap.containers.claims import Claimant, made_by, only_makes
from habanero_receiver.swap.containers.registry import Registrations
from habanero_receiver.swap.containers.setnames import Told
from habanero_receiver.swap.containers.withdrawing import withdraw
from habanero_receiver.swap.finding.reach import roots_of
from habanero_receiver.swap.functions.moves import ClosureError, apply, transplant
from habanero_receiver.swap.kinds import instance_dict, is_a
from habanero_receiver.swap.transaction import Transaction
from habanero_receiver.swap.undo import restore_mapping

from .annotations import annotate
from .body import Body, starred
from .dynamic import binds_by_name, bound_since
from .scope import UNKNOWN, Scope
from .successor import Successor


@dataclass(frozen=True, slots=True)
class Run:
    """Runs a unit as it stands and binds what it binds; living functions and classes become what it made of them."""

    body: Body
    unit: Unit
    hidden: frozenset[str]
    """The names that the unit must not see, unless statements of this swap bound them."""
    old: Unit | None = None
    """The statement that this one takes the place of."""
    former: Callable[[], list[FunctionType]] = list
    """The function that a ``def`` of the name left behind, which may be a lambda now."""
    claimants: tuple[Claimant, ...] = ()
    """The old statements of the module that may have registered something."""

    @property
    def scope(self) -> Scope:
        """Where it runs."""
        return self.body.scope

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        told = Told(work, self.scope, self.unit.names)
        self._run_registering(work)
        told.settle(work)

    def _run_registering(self, work: Transaction) -> None:
        if self.old is None or self.unit.effect == PURE:
            self._run(work)
            return
        codes = [unit.code for unit in (self.old, self.unit) if not only_makes(unit, self.scope)]
        made = made_by(self.old, self.scope)
        found = [root for code in codes for root in roots_of(code, self.scope.visible(), self.scope.is_own)]
        roots = [root for root in found if id(root) not in made]
        withdrawn = withdraw(work, self.scope, [self.old], self.claimants)
        registered = Registrations(work.graph, roots)
        self._run(work)
        withdrawn.put_in_place(work)
        where = {path.partition(".")[0] for path in self.unit.calls}
        read = {*self.old.reads} & {*self.unit.reads} - where
        named = [value for name in sorted(read) if _can_be_registered(value := self.scope.lookup(name), self.scope)]
        doubles = registered.settle_statement(work.log, named, withdrawn.containers())
        work.note_doubles(self.scope.globals["__name__"], [d for d in doubles if not withdrawn.has(d.container)])

    def _run(self, work: Transaction) -> None:
        scope = self.scope
        for name in self.body.binders.overruled.get(id(self.unit), ()):
            work.held.setdefault((scope.place, name), scope.get(name))
        reads = {*self.unit.reads, *(self.old.reads if self.old is not None else ())}
        named = {id(scope.lookup(name)) for name in reads}  # what has a name already is not what the statement made
        names = self.body.names(self.hidden)
        given = frozenset(names) if scope.owner is not None else frozenset()  # a copy: of what is deleted there, too
        space = scope.globals if scope.owner is None else names
        before: dict[str, Any] = dict(space) if binds_by_name(self.unit) else {}
        had = {n: scope.get(n) for n in {*self.unit.names, *before} if id(scope.get(n)) not in named}
        aside = {name: scope.get(name) for name in self.body.by_functions}
        former = {name: scope.get(name) for name in self.unit.names}
        scope.run(self.unit.code, names)
        self.body.bound.update(name for name, value in aside.items() if scope.get(name) is not value)
        annotate(work.log, scope, names["__annotations__"])
        self.body.annotated.update(names["__annotations__"])
        by_name = bound_since(space, before) if before else []
        self.body.bound.update(by_name)
        for name in dict.fromkeys((*self.unit.names, *by_name)):
            if scope.owner is not None and name in names:
                self.body.bound.add(name)
            if name not in names:
                if name in given:
                    scope.unbind(work.log, name)
                continue
            value = names[name]
            if id(value) not in named:
                work.earlier = work.forms.get(id(self.old))
                value = _taken_over(work, had.get(name), value, self.former())
                if gives_way(former.get(name), value, [*former.values()]):
                    why = "the statement made another class of this name: what is of the one before stays so"
                    work.report.of(scope.globals["__name__"]).note_stale(scope.path(name), why)
            if not scope.binds(name) or value is not scope.get(name):
                scope.bind(work.log, name, value)
        work.earlier = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """Unbinds what statements of the old version bound and those of the new one, now that they have run, did not."""

    body: Body
    names: frozenset[str]

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        for name in self.names - self.body.bound:
            _let_go(work, self.body.scope, name, self.body.stars())


def _let_go(work: Transaction, scope: Scope, name: str, stars: Sequence[str]) -> None:
    """Unbinds a name, or gives it back to a star import."""
    if (value := starred(stars, name)) is UNKNOWN:
        scope.unbind(work.log, name)
    else:
        scope.bind(work.log, name, value)


def _taken_over(work: Transaction, living: Any, made: Any, former: list[FunctionType]) -> Any:
    """What a name is bound to for good: what it was bound to, if that could become what was made now."""
    if issubclass(type(living), (type, FunctionType)):
        renamed = is_a(made, FunctionType) and made.__name__ == "<lambda>" and any(living is f for f in former)
        return living if remake(work, living, made, renamed=renamed) else made
    return living if work.replace(living, made) else made


def _can_be_registered(value: Any, scope: Scope) -> bool:
    """Whether entries can be told by this value: a function or class of the app, or an object; no plain value."""
    if issubclass(type(value), (FunctionType, type)):
        return scope.is_own(value.__module__ or "")
    return type(value).__module__ != "builtins" and value is not UNKNOWN


@dataclass(frozen=True, slots=True)
class Settle:
    """Gives names back to the statement that binds them for good, which is not run."""

    scope: Scope
    unit: Unit
    names: frozenset[str]

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        for name in self.names:
            self.scope.bind(work.log, name, work.held.pop((self.scope.place, name)))


@dataclass(frozen=True, slots=True)
class Define:
    """Runs a changed or new ``def``: living functions take the new one over, decorators are applied to the living one.

    What the old decorators registered gives its place to what the new ones register.
    """

    scope: Scope
    unit: Unit
    old: Unit | None
    living: Callable[[], list[FunctionType]] = field(default=list)
    binds: bool = True
    """Whether the name is bound to the result; not if a later statement of the body has the last word."""
    hidden: frozenset[str] = frozenset()
    """Members of a class that its body does not have yet where the ``def`` stands."""
    marks: frozenset[str] = frozenset()
    """Attributes that the old decorators set on the function."""
    among: tuple[bool, bool] = (True, True)
    """Whether it is the last ``def`` of its name: in the old version, and in the new one."""

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        name = self.unit.names[0]
        decorators: tuple[Any, ...] = ()
        names = self._names()
        if self.unit.decorate is not None:  # before the name is bound, since they may speak of what it was bound to
            self.scope.run(self.unit.decorate, names)
            decorators = names[DECORATORS_NAME]
        names = self._names()
        self.scope.run(self.unit.bare or self.unit.code, names)
        value = new = names[name]
        before = self._former(work, name) if self.binds else None
        for function in self.living():
            try:
                pairs = transplant(new, function, self.scope.cells())
            except ClosureError:
                continue  # a copy made elsewhere, with another closure: it goes on as it was
            apply(pairs + work.copies.following(pairs), work.log)
            value = function
            work.redefined.append(function)
            work.log.note((restore_mapping, function.__dict__, dict(function.__dict__)))  # decorators may write to it
            if self.old is not None and self.old.decorate is not None:  # what a decorator says of it, they say again
                for mark in ("__isabstractmethod__", *self.marks):
                    function.__dict__.pop(mark, None)
        if self.unit.decorate is None and (self.old is None or self.old.decorate is None):
            self._bind(work, value)
            return
        lasting = self._registries(self.unit)
        registered = Registrations(work.graph, [*self._registries(self.old), *lasting], lasting)
        owners = [value, before] if before is not None else [value]
        if self.old is not None:
            work.forget(value)
            registered.set_aside(work.log, owners)
        function = value
        successor = Successor(before, function)
        try:
            value = _decorated(work, function, decorators, successor)
        except Exception:  # a registry may refuse a second entry of one name
            if self.old is None or not registered.clear(work.log, [*owners, *_made_for(before, new)]):
                raise
            successor = Successor(before, function)
            value = _decorated(work, function, decorators, successor)
        replaced = before is not value and work.replace(before, value)
        if not replaced and not registered.hold(value) and not registered.hold(before):
            value = successor.take_over(work, value, same_maker=False)
        for taken in successor.taken:
            registered.exchange(work.log, taken, before)
        if self.old is not None:
            doubles = registered.settle(work.log, owners, [value, function] if self.unit.decorate is not None else [])
            if self.old.decorate is not None:
                work.note_doubles(self.scope.globals["__name__"], doubles)
        if replaced:  # only now, since both in one place look as if nothing had been registered again
            registered.exchange(work.log, value, before)
            value = before
        self._bind(work, value)

    def _former(self, work: Transaction, name: str) -> Any:
        """What its name was bound to before the commit, if that was of its own making, and it has the last word now."""
        key, was_last, is_last = (self.scope.place, name), *self.among
        if not is_last:
            work.held.setdefault(key, self.scope.get(name))
            return None
        former = work.held.pop(key, self.scope.get(name))
        return former if was_last else None

    def _names(self) -> dict[str, Any]:
        return {name: value for name, value in self.scope.namespace().items() if name not in self.hidden}

    def _bind(self, work: Transaction, value: object) -> None:
        if self.binds:
            self.scope.bind(work.log, self.unit.names[0], value)

    def _registries(self, unit: Unit | None) -> list[object]:
        return [] if unit is None else roots_of(unit.decorate, self.scope.visible(), self.scope.is_own)


def _decorated(work: Transaction, value: Any, decorators: tuple[Any, ...], successor: Successor) -> Any:
    for decorator in reversed(decorators):
        value = successor.take_over(work, decorator(value), same_maker=True)
    return value


def _made_for(before: object, function: FunctionType) -> list[type]:
    """The classes that a decorator made for one function, and what it returned holds."""
    held = (instance_dict(before) or {}).values() if before is not None else ()
    made = (function.__module__, function.__name__)
    return [value for value in held if issubclass(type(value), type) and (value.__module__, value.__name__) == made]


@dataclass(frozen=True, slots=True)
class Unregister:
    """Takes out what the decorators of a unit that is gone, or making its class, registered."""

    scope: Scope
    unit: Unit
    names: tuple[str, ...]
    """Those of its names that are still bound to what it made."""
    living: Callable[[], list[FunctionType]] = field(default=list)

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        if self.unit.decorate is not None:
            roots = roots_of(self.unit.decorate, self.scope.visible(), self.scope.is_own)
            held = [value for name in self.names if (value := self.scope.get(name)) is not None]
            for function in {id(f): f for f in (*held, *self.living())}.values():
                work.forget(function)
            Registrations(work.graph, roots).settle(work.log, [*held, *self.living()], [])
            _drop_attributes(work, roots, [*held, *self.living()], self.scope)
        if self.unit.kind == "class" and self.names and is_a(cls := self.scope.get(self.names[0]), type):
            roots = registries_of(self.unit, cls, own_init_subclass(cls, self.scope.is_own), self.scope)
            if roots:
                work.forget(cls)
                Registrations(work.graph, roots).settle(work.log, [cls], [])


@dataclass(frozen=True, slots=True)
class Remove:
    """Unbinds the names of a unit that is gone, and has what it registered go."""

    scope: Scope
    unit: Unit
    names: tuple[str, ...]
    living: Callable[[], list[FunctionType]] = field(default=list)
    bound: Collection[str] = ()
    """The names that statements run in this swap have bound: a star may stand for some of these."""
    stars: Sequence[str] = ()
    """The modules of which everything public is imported: one may give the name now."""

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        Unregister(self.scope, self.unit, self.names, self.living)(work)
        told = Told(work, self.scope, self.names)
        for name in self.names:
            if name not in self.bound:
                _let_go(work, self.scope, name, self.stars)
        told.settle(work)


def _drop_attributes(work: Transaction, roots: Sequence[object], gone: Sequence[object], scope: Scope) -> None:
    """Takes functions that go off the objects that their decorators set them on by their own names (``@bot.event``).

    Under another name there may have been something before: such an attribute stays and is named.
    """
    for root in roots:
        attributes = instance_dict(root) if not is_a(root, (type, FunctionType, ModuleType)) else None
        for name, value in list((attributes or {}).items()):
            if attributes is None or not any(value is function for function in gone):
                continue
            if name == getattr(value, "__name__", ""):
                work.log.delete_item(attributes, name)
            else:
                where = next((key for key, item in scope.globals.items() if item is root), type(root).__name__)
                work.report.of(scope.globals["__name__"]).note_stale(f"{where}.{name}", f"def {value.__name__} is gone")


class Step(Protocol):
    """What is done inside a commit. It may raise anything, and is undone then."""

    def __call__(self, work: Transaction, /) -> None:
        """Carries the step out."""

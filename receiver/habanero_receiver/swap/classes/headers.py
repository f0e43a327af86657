"""The steps that give a living class what the header of its statement says now: its decorators and its bases.

What its body holds is the matter of `classes`; `FinishClass` comes after everything else that a swap does to a class.
The rule of all steps holds: they change the live process only through the undo log, and may raise anything.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from types import FunctionType
from typing import Any, Generic, Protocol, get_origin

from habanero_receiver.swap.building.units import DECORATORS_NAME, Unit
from habanero_receiver.swap.containers.registry import Registrations
from habanero_receiver.swap.finding.reach import roots_of
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.statements.scope import Scope
from habanero_receiver.swap.transaction import Transaction
from habanero_receiver.swap.undo import restore_class

from .abstracts import refresh_abstract
from .adopt import remake
from .layouts import LayoutError
from .shapes import DERIVED
from .twins import derives_by


@dataclass(frozen=True, slots=True)
class Decorate:
    """Applies the new decorators of a class to the living class."""

    scope: Scope
    unit: Unit
    old: Unit
    cls: type
    derived: bool
    """Whether the class took over already what decorators of libraries derive from its body."""
    marks: frozenset[str]
    """Attributes that the old decorators set on the class."""

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        old, lasting = (
            roots_of(unit.decorate, self.scope.visible(), self.scope.is_own) for unit in (self.old, self.unit)
        )
        registered = Registrations(work.graph, [*old, *lasting], lasting)
        work.forget(self.cls)
        registered.set_aside(work.log, [self.cls])
        if not self.derived:
            _drop_derived(work, self.scope, self.unit, self.cls)
        for name in self.marks - {name for member in self.unit.members for name in member.names}:
            work.log.delete_class_attribute(self.cls, name)
        value: Any = self.cls
        if self.unit.decorate is not None:
            names = self.scope.namespace()
            self.scope.run(self.unit.decorate, names)
            for decorator in reversed(names[DECORATORS_NAME]):
                if not (self.derived and derives_by(self.scope, decorator)):
                    value = decorator(value)
        before = self.scope.get(self.unit.names[0])
        if before is not self.cls and remake(work, before, value):  # instances of the former wrapper live on
            value = before
        self.scope.bind(work.log, self.unit.names[0], value)
        doubles = registered.settle(work.log, [self.cls], [value, self.cls] if self.unit.decorate is not None else [])
        if self.old.decorate is not None:
            work.note_doubles(self.scope.globals["__name__"], doubles)


@dataclass(frozen=True, slots=True)
class DeriveAgain:
    """Has decorators of libraries that add methods by those that a class has (``total_ordering``) do so again."""

    scope: Scope
    unit: Unit
    cls: type

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        names = self.scope.namespace()
        if self.unit.decorate is None:
            return
        self.scope.run(self.unit.decorate, names)
        deriving = [decorator for decorator in names[DECORATORS_NAME] if derives_by(self.scope, decorator)]
        if deriving:
            work.log.note((restore_class, self.cls, dict(self.cls.__dict__)))
            _drop_derived(work, self.scope, self.unit, self.cls)
        for decorator in reversed(deriving):
            decorator(self.cls)


def _drop_derived(work: Transaction, scope: Scope, unit: Unit, cls: type) -> None:
    """Takes away the methods that decorators of libraries added to a class, which its body does not have."""
    bound = {name for member in unit.members for name in member.names}
    for name in DERIVED & cls.__dict__.keys() - bound:
        value = cls.__dict__[name]
        if is_a(value, FunctionType) and not scope.is_own(value.__module__ or ""):
            work.log.delete_class_attribute(cls, name)


@dataclass(frozen=True, slots=True)
class Rebase:
    """Gives the living class its new bases."""

    scope: Scope
    unit: Unit
    cls: type

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        if self.unit.bases is None:
            return
        names = self.scope.namespace()
        self.scope.run(self.unit.bases, names)
        written = names[DECORATORS_NAME][0] or (object,)
        bases = types.resolve_bases(written)
        if bases != self.cls.__bases__:
            try:
                work.log.set_attribute(self.cls, "__bases__", bases)
            except TypeError as error:
                shown = ", ".join(getattr(base, "__qualname__", repr(base)) for base in bases)
                raise LayoutError(f"{self.cls.__qualname__} cannot have the bases ({shown}): {error}") from error
        if bases is not written:
            work.log.set_class_attribute(self.cls, "__orig_bases__", written)
        else:
            work.log.delete_class_attribute(self.cls, "__orig_bases__")
        if issubclass(self.cls, Generic):
            work.log.set_class_attribute(self.cls, "__parameters__", _parameters(written))


def _parameters(bases: tuple[Any, ...]) -> tuple[Any, ...]:
    """The type parameters of a class with these bases: those that it lists, or else all that its bases name."""
    aliases = [base for base in bases if not is_a(base, type)]
    listed = [base.__parameters__ for base in aliases if get_origin(base) in (Generic, Protocol)]
    every = listed[:1] or [getattr(base, "__parameters__", ()) for base in aliases]
    return tuple(dict.fromkeys(parameter for found in every for parameter in found))


@dataclass(frozen=True, slots=True)
class FinishClass:
    """Brings what Python derives from a class's members in line with them."""

    cls: type
    was: frozenset[str] = frozenset()
    """What the old body binds."""
    now: frozenset[str] = frozenset()
    """What the new body binds: what a decorator or a later statement adds to the class derives nothing."""

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        members = self.cls.__dict__
        implied = "__eq__" in self.now and "__eq__" in members
        if implied and "__hash__" not in members:
            work.log.set_class_attribute(self.cls, "__hash__", None)  # as the class statement does
        elif "__eq__" in self.was and not (implied or "__hash__" in self.now) and members.get("__hash__", self) is None:
            work.log.delete_class_attribute(self.cls, "__hash__")
        refresh_abstract(work.log, self.cls)

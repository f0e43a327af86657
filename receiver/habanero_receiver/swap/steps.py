"""The statements of the new code that are run inside a commit, each with what makes it come out right in a live module.

A step changes the live process only through the undo log it is given, or in containers that were copied beforehand. It
may raise anything, since it runs the user's code; whoever runs it undoes the log then.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from .build import DECORATORS_NAME, Unit
from .functions import ClosureError, apply, class_cell, transplant
from .registry import Registrations, roots_of
from .undo import UndoLog

_IMPLICIT: dict[str, Callable[[Any], Any]] = {
    "__new__": staticmethod,
    "__init_subclass__": classmethod,
    "__class_getitem__": classmethod,
}
"""Methods that a class statement wraps by itself."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where units run: a module's namespace, or a class in it."""

    globals: dict[str, Any]
    own_modules: frozenset[str]
    is_own: Callable[[str], bool]
    owner: type | None = None

    def namespace(self) -> dict[str, Any]:
        """The names that a statement sees by plain lookup before the module's: of a class, a copy of its members."""
        return {} if self.owner is None else dict(self.owner.__dict__)

    def run(self, code: CodeType, names: dict[str, Any]) -> None:
        """Runs code with ``names`` as its local names; in a class, methods then close over the living class."""
        exec(code, self.globals, names)  # noqa: S102  # running verified code is what this project is for
        cell = names.pop("__classcell__", None)
        if cell is not None:
            cell.cell_contents = self.owner

    def get(self, name: str) -> Any:
        """The live value of a name, as it lies in the namespace."""
        return (self.globals if self.owner is None else self.owner.__dict__).get(name)

    def bind(self, log: UndoLog, name: str, value: Any) -> None:
        """Binds a name for good, as the class or module statement would have."""
        if self.owner is None:
            log.set_item(self.globals, name, value)
            return
        if isinstance(value, FunctionType) and name in _IMPLICIT:
            value = _IMPLICIT[name](value)
        fresh = self.owner.__dict__.get(name) is not value
        log.set_class_attribute(self.owner, name, value)
        set_name = getattr(type(value), "__set_name__", None)
        if fresh and set_name is not None:
            set_name(value, self.owner, name)

    def unbind(self, log: UndoLog, name: str) -> None:
        """Takes a name away, if it is there."""
        if self.owner is None:
            log.delete_item(self.globals, name)
        else:
            log.delete_class_attribute(self.owner, name)

    def cells(self) -> Mapping[str, Any]:
        """What a function of this scope can close over."""
        return {} if self.owner is None else class_cell(self.owner)


@dataclass(frozen=True, slots=True)
class Run:
    """Runs a unit as it stands and binds what it binds."""

    scope: Scope
    unit: Unit

    def __call__(self, log: UndoLog) -> None:
        """Carries the step out."""
        if self.scope.owner is None:
            self.scope.run(self.unit.code, self.scope.globals)  # its namespace was copied: order and reads are exact
            return
        names = self.scope.namespace()
        annotations = names["__annotations__"] = dict(names.get("__annotations__", {}))
        self.scope.run(self.unit.code, names)
        for name in self.unit.names:
            if name in names:
                self.scope.bind(log, name, names[name])
        if annotations != self.scope.get("__annotations__") and annotations:
            self.scope.bind(log, "__annotations__", annotations)


@dataclass(frozen=True, slots=True)
class Define:
    """Runs a changed or new ``def``: living functions take the new one over, decorators are applied to the living one.

    What the old decorators registered gives its place to what the new ones register.
    """

    scope: Scope
    unit: Unit
    old: Unit | None
    living: Callable[[], list[FunctionType]] = field(default=list)

    def __call__(self, log: UndoLog) -> None:
        """Carries the step out."""
        name = self.unit.names[0]
        names = self.scope.namespace()
        self.scope.run(self.unit.bare or self.unit.code, names)
        value = new = names[name]
        before = self.scope.get(name)
        for function in self.living():
            try:
                apply(transplant(new, function, self.scope.cells()), log)
            except ClosureError:
                continue  # a copy made elsewhere, with another closure: it goes on as it was
            value = function
        if self.unit.decorate is None and (self.old is None or self.old.decorate is None):
            self.scope.bind(log, name, value)
            return
        registered = Registrations(self._registries(), self.scope.own_modules)
        owners = [value, before] if before is not None else [value]
        if self.unit.decorate is not None:
            self.scope.run(self.unit.decorate, names)
            for decorator in reversed(names[DECORATORS_NAME]):
                value = decorator(value)
        self.scope.bind(log, name, value)
        if self.old is not None:
            registered.settle(log, owners, [value, owners[0]] if self.unit.decorate is not None else [])

    def _registries(self) -> list[object]:
        codes = [unit.decorate for unit in (self.old, self.unit) if unit is not None]
        return [root for code in codes for root in roots_of(code, self.scope.globals, self.scope.is_own)]


@dataclass(frozen=True, slots=True)
class Remove:
    """Unbinds the names of a unit that is gone, and what its decorators registered."""

    scope: Scope
    unit: Unit
    names: tuple[str, ...]
    living: Callable[[], list[FunctionType]] = field(default=list)

    def __call__(self, log: UndoLog) -> None:
        """Carries the step out."""
        if self.unit.decorate is not None:
            roots = roots_of(self.unit.decorate, self.scope.globals, self.scope.is_own)
            held = [value for name in self.names if (value := self.scope.get(name)) is not None]
            Registrations(roots, self.scope.own_modules).settle(log, [*held, *self.living()], [])
        for name in self.names:
            self.scope.unbind(log, name)


@dataclass(frozen=True, slots=True)
class Decorate:
    """Applies the new decorators of a class to the living class."""

    scope: Scope
    unit: Unit
    cls: type

    def __call__(self, log: UndoLog) -> None:
        """Carries the step out."""
        if self.unit.decorate is None:
            return
        names = self.scope.namespace()
        self.scope.run(self.unit.decorate, names)
        value: Any = self.cls
        for decorator in reversed(names[DECORATORS_NAME]):
            value = decorator(value)
        self.scope.bind(log, self.unit.names[0], value)


@dataclass(frozen=True, slots=True)
class Rebase:
    """Gives the living class its new bases."""

    scope: Scope
    unit: Unit
    cls: type

    def __call__(self, log: UndoLog) -> None:
        """Carries the step out."""
        if self.unit.bases is None:
            return
        names = self.scope.namespace()
        self.scope.run(self.unit.bases, names)
        bases = names[DECORATORS_NAME] or (object,)
        if bases != self.cls.__bases__:
            log.set_attribute(self.cls, "__bases__", bases)


@dataclass(frozen=True, slots=True)
class FinishClass:
    """Brings what Python derives from a class's members in line with them."""

    cls: type

    def __call__(self, log: UndoLog) -> None:
        """Carries the step out."""
        members = self.cls.__dict__
        if "__eq__" in members and "__hash__" not in members:
            log.set_class_attribute(self.cls, "__hash__", None)  # as the class statement does
        elif "__eq__" not in members and members.get("__hash__", self) is None:
            log.delete_class_attribute(self.cls, "__hash__")
        for cls in _with_subclasses(self.cls):
            if isinstance(cls, abc.ABCMeta):
                log.note((setattr, cls, "__abstractmethods__", cls.__abstractmethods__))
                update: Any = abc.update_abstractmethods
                update(cls)


def _with_subclasses(cls: type) -> list[type]:
    found, waiting = [], [cls]
    while waiting:
        found.append(cls := waiting.pop())
        waiting.extend(type.__subclasses__(cls))
    return found


Step = Run | Define | Remove | Decorate | Rebase | FinishClass

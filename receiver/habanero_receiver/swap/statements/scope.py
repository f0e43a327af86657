"""Where the statements of the new code run: a living module, or a living class in it.

It runs code and binds names the way the module or class statement would have; when to do so is decided elsewhere.
"""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

from habanero_receiver.swap.functions.moves import class_cell, type_cells
from habanero_receiver.swap.kinds import home_of, is_a
from habanero_receiver.swap.undo import UndoLog

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
    parameters: Mapping[str, CellType] = field(default_factory=dict)
    """Of generic classes: what their bodies close over, the type parameters."""
    former: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What modules bound before a swap, by their names, for a scope as it was then."""

    def as_it_was(self, former: Mapping[str, dict[str, Any]]) -> Scope:
        """The scope in which old statements ran, as far as these modules bound something else then."""
        return replace(self, globals=former.get(self.globals["__name__"], self.globals), former=former)

    def names_of(self, module: ModuleType) -> Mapping[str, Any]:
        """What a module binds, or bound if the scope is one as it was."""
        return self.former.get(module.__name__, vars(module))

    def inside(self, owner: type) -> Scope:
        """The scope of a class in this one."""
        given = {".type_params": CellType(getattr(owner, "__type_params__", ()))}
        return replace(self, owner=owner, parameters={**self.parameters, **type_cells(owner), **given})

    def namespace(self) -> dict[str, Any]:
        """The names that a statement sees by plain lookup before the module's: of a class, a copy of its members."""
        return {} if self.owner is None else dict(self.owner.__dict__)

    def visible(self) -> Mapping[str, Any]:
        """All names that a statement can read, those of its class first."""
        return self.globals if self.owner is None else {**self.globals, **self.owner.__dict__}

    def run(self, code: CodeType, names: MutableMapping[str, Any]) -> None:
        """Runs code with ``names`` as its local names; in a class, methods then close over the living class."""
        cells = tuple(self.parameters.get(name, CellType()) for name in code.co_freevars)
        exec(code, self.globals, names, closure=cells or None)  # noqa: S102  # verified code is to be run
        cell = names.pop("__classcell__", None)
        if cell is not None:
            cell.cell_contents = self.owner

    def get(self, name: str) -> Any:
        """The live value of a name, as it lies in the namespace."""
        return (self.globals if self.owner is None else self.owner.__dict__).get(name)

    @property
    def place(self) -> int:
        """Tells namespaces apart: the identity of the class, or of the module's names."""
        return id(self.globals if self.owner is None else self.owner)

    def path(self, key: str) -> str:
        """What a unit here is called in a report."""
        return key if self.owner is None else f"{self.owner.__qualname__}.{key}"

    def binds(self, name: str) -> bool:
        """Whether the namespace has the name, whatever it is bound to."""
        return name in (self.globals if self.owner is None else self.owner.__dict__)

    def bind(self, log: UndoLog, name: str, value: Any) -> None:
        """Binds a name for good, as the class or module statement would have."""
        if self.owner is None:
            log.set_item(self.globals, name, value)
            return
        if name == "__new__" and is_a(self.owner, enum.EnumType):
            name = "__new_member__"  # the class itself has another one, which looks members up
        if is_a(value, FunctionType) and name in _IMPLICIT:
            value = _IMPLICIT[name](value)
        fresh = self.owner.__dict__.get(name) is not value
        log.set_class_attribute(self.owner, name, value)
        set_name = getattr(type(value), "__set_name__", None)
        if fresh and set_name is not None:
            set_name(value, self.owner, name)

    def unbind(self, log: UndoLog, name: str) -> None:
        """Takes a name away, if it is there. A package's own modules stay: whoever imports them binds them there."""
        if self.owner is None:
            module = sys.modules.get(f"{self.globals['__name__']}.{name}")
            if module is None or self.globals.get(name) is not module:
                log.delete_item(self.globals, name)
        else:
            log.delete_class_attribute(self.owner, name)

    def cells(self) -> Mapping[str, Any]:
        """What a function of this scope can close over."""
        return {} if self.owner is None else {**self.parameters, **class_cell(self.owner)}

    def lookup(self, name: str) -> Any:
        """What a statement of the module reads by this name; UNKNOWN if nothing."""
        builtins = self.globals["__builtins__"]
        builtins = builtins if is_a(builtins, dict) else vars(builtins)
        return self.globals.get(name, builtins.get(name, UNKNOWN))

    def is_outside(self, value: Any) -> bool:
        """Whether a module or callable comes from outside of the app: no swap changes it, it cannot know the app."""
        if is_a(value, ModuleType):
            return not self.is_own(value.__name__)
        if is_a(value, type) or callable(value):
            home = home_of(value)
            return home is not None and not self.is_own(home) and not self.is_own(type(value).__module__)
        return False


UNKNOWN: Any = object()
"""What `Scope.lookup` gives for a name that is bound nowhere."""

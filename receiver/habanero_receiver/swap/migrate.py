"""Runs the ``__code_change__`` hooks of new code: how live state moves to what the new code expects.

    def __code_change__(old):              of a module: ``old`` maps the names that it bound before to their values
    def __code_change__(self, old=None):   of a class: called on each living instance, ``old`` maps its attributes

A hook runs in the commit in which it appears or changes, once, after everything else; if it raises, nothing happened.
In later releases that leave it as it is, it does not run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import CodeType
from typing import Any

from .diff import Match, functions_in, same_behaviour
from .finding.heap import Newborn, instances_of, youngest_instances
from .kinds import instance_dict, is_a, is_instance
from .report import ModuleReport
from .snapshot import Snapshot
from .undo import UndoLog

HOOK = "__code_change__"


@dataclass(slots=True)
class Migration:
    """The hooks of one module that a commit runs."""

    namespace: dict[str, Any]
    own_modules: frozenset[str]
    report: ModuleReport
    module: CodeType | None = None
    """The code of the module's own hook, if it is to run."""
    classes: list[type] = field(default_factory=list)
    """The classes whose hooks are to run."""
    filled: list[type] = field(default_factory=list)
    """The classes whose instances are to be given the defaults of new fields."""
    _instances: dict[int, Any] = field(default_factory=dict)
    _newborn: Newborn | None = None

    def note(self, match: Match, owner: type | None) -> None:
        """Takes in a unit that is a hook and runs by this commit."""
        if match.new is None or match.new.names != (HOOK,) or match.new.kind != "function":
            return
        code = functions_in(match.new.code)[-1]
        if match.old is not None and same_behaviour(functions_in(match.old.code)[-1], code):
            return
        if owner is None:
            self.module = code
            self.report.migrated.append("module")
        else:
            self.classes.append(owner)

    def find(self) -> None:
        """Finds the living instances, while there is time. Costs time in proportion to the heap if there is a hook."""
        if self.classes or self.filled:
            wanted = [*self.classes, *self.filled]
            self._newborn = Newborn(partial(youngest_instances, wanted))
            self._take(instances_of(wanted))
            count = {cls: sum(is_instance(i, cls) for i in self._instances.values()) for cls in self.classes}
            self.report.migrated.extend(f"{cls.__qualname__}: {n} instances" for cls, n in count.items())

    def _take(self, instances: Iterable[Any]) -> None:
        self._instances.update((id(instance), instance) for instance in instances)

    def instances_of(self, cls: type) -> list[Any]:
        """The living instances of a class that `find` searched for, those made since included."""
        self._take(self._newborn.found() if self._newborn is not None else youngest_instances([cls]))
        return [instance for instance in self._instances.values() if is_instance(instance, cls)]

    def run(self, log: UndoLog, before: Mapping[str, Any]) -> None:
        """Runs the hooks. ``before`` is the module's namespace as it was before the commit."""
        if self.classes:
            instances = list({id(i): i for cls in self.classes for i in self.instances_of(cls)}.values())
            log.note((Snapshot(instances, self.own_modules).restore,))
            for instance in instances:
                log.note((_restore_slots, instance, _slots(instance)))
            for instance in instances:
                getattr(instance, HOOK)(_state(instance))
        if self.module is not None:
            self.namespace[HOOK](dict(before))


def _slots(instance: object) -> dict[str, Any]:
    """The values of the instance's slots, by name."""
    found: dict[str, Any] = {}
    for cls in type(instance).__mro__:
        names = cls.__dict__.get("__slots__", ())
        for name in (names,) if is_a(names, str) else names:
            if name not in ("__dict__", "__weakref__"):
                mangled = f"_{cls.__name__.lstrip('_')}{name}" if name.startswith("__") and name[-2:] != "__" else name
                try:
                    found[mangled] = object.__getattribute__(instance, mangled)
                except AttributeError:
                    continue
    return found


def _restore_slots(instance: object, values: Mapping[str, Any]) -> None:
    for name in _slots(instance):
        if name not in values:
            object.__delattr__(instance, name)
    for name, value in values.items():
        object.__setattr__(instance, name, value)


def _state(instance: object) -> dict[str, Any]:
    return {**_slots(instance), **(instance_dict(instance) or {})}

"""Changes with their inverses, so that a swap is done whole or not at all.

Two kinds of change are known: an assignment, whose inverse is known before it is made, and the effect of running a
statement of the new code, whose inverse is a shallow copy of every container that the statement could reach. What a
statement did outside of the process (a file, a socket, a thread) cannot be undone.
"""

from __future__ import annotations

import gc
import operator
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from itertools import starmap, takewhile
from types import ModuleType
from typing import Any

from .kinds import instance_dict, is_a

Step = tuple[Any, ...]
"""A callable and its arguments."""
IDLE: Step = (len, ())
"""A step that does nothing, for what only its inverse has to do."""
_MISSING: Any = object()


class UndoLog:
    """The inverses of all that was done so far, newest last."""

    def __init__(self) -> None:
        self._inverses: list[Step] = []

    def do(self, step: Step, inverse: Step) -> None:
        """Does one step, its inverse noted first so that half a step can be undone too."""
        self._inverses.append(inverse)
        step[0](*step[1:])

    def do_all(self, steps: list[Step], inverses: list[Step]) -> None:
        """Does many prepared steps as one, and has them undone as one: no other thread sees some of them done."""
        batch = _Batch(steps, inverses)
        self._inverses.append((batch.undo,))
        batch.do()

    def note(self, inverse: Step) -> None:
        """Notes the inverse of something that is about to be done."""
        self._inverses.append(inverse)

    def set_item(self, mapping: dict[str, Any], name: str, value: object) -> None:
        """Binds a name in a namespace, if it is not bound to that very object yet."""
        old = mapping.get(name, _MISSING)
        if old is not value:
            inverse: Step = (mapping.pop, name, None) if old is _MISSING else (mapping.__setitem__, name, old)
            self.do((mapping.__setitem__, name, value), inverse)

    def delete_item(self, mapping: dict[Any, Any], name: object) -> None:
        """Unbinds a name in a namespace, if it is bound."""
        if name in mapping:
            self.do((mapping.pop, name), (mapping.__setitem__, name, mapping[name]))

    def set_attribute(self, target: object, name: str, value: object) -> None:
        """Assigns an attribute as `setattr` does."""
        held = instance_dict(target)
        place = next((vars(cls)[name] for cls in type(target).__mro__ if name in vars(cls)), None)
        inherited = held is not None and name not in held and not hasattr(type(place), "__set__")
        old = _MISSING if inherited else getattr(target, name, _MISSING)
        inverse: Step = (_delete_attribute, target, name) if old is _MISSING else (setattr, target, name, old)
        self.do((setattr, target, name, value), inverse)

    def set_class_attribute(self, cls: type, name: str, value: object) -> None:
        """Puts ``value`` as it is into the class's namespace, past what a metaclass makes of assignments."""
        old = cls.__dict__.get(name, _MISSING)
        if old is value:
            return
        inverse: Step = (_drop_class_attribute, cls, name)
        if old is not _MISSING:
            inverse = (type.__setattr__, cls, name, old)
        self.do((type.__setattr__, cls, name, value), inverse)

    def delete_class_attribute(self, cls: type, name: str) -> None:
        """Takes a name out of the class's own namespace, if it is there."""
        if name in cls.__dict__:
            self.do((type.__delattr__, cls, name), (type.__setattr__, cls, name, cls.__dict__[name]))

    def undo(self) -> None:
        """Puts everything back, newest first. Goes on over errors and raises the first of them at the end."""
        first: BaseException | None = None
        while self._inverses:
            inverse = self._inverses.pop()
            try:
                inverse[0](*inverse[1:])
            except BaseException as error:  # the rest must be put back whatever one of them does
                first = first or error
        if first is not None:
            raise first


class _Batch:
    """Prepared steps that are calls into C: between them no bytecode runs, so no other thread does."""

    def __init__(self, steps: list[Step], inverses: list[Step]) -> None:
        self.steps, self.inverses = steps, inverses  # both held to the end: nothing is freed, and finalised, in between
        self.waiting = iter(steps)

    def do(self) -> None:
        _at_once(self.waiting)

    def undo(self) -> None:
        """Undoes what was begun, newest first. Goes on over errors and raises the first of them at the end."""
        begun = len(self.steps) - operator.length_hint(self.waiting)
        backwards = iter(self.inverses[:begun][::-1])
        first: BaseException | None = None
        while operator.length_hint(backwards):
            try:
                _at_once(backwards)
            except BaseException as error:
                first = first or error
        if first is not None:
            raise first


def _at_once(steps: Iterator[Step]) -> None:
    """Does steps in a loop that runs no bytecode. Before Python 3.12 the collector could run some."""
    collects = sys.version_info < (3, 12) and gc.isenabled()
    if collects:
        gc.disable()
    try:
        deque(starmap(operator.call, steps), maxlen=0)
    finally:
        if collects:
            gc.enable()


def _delete_attribute(target: object, name: str) -> None:
    if name in (instance_dict(target) or ()):
        delattr(target, name)


def _drop_class_attribute(cls: type, name: str) -> None:
    if name in cls.__dict__:
        type.__delattr__(cls, name)


def fill(items: list[Any] | deque[Any], content: list[Any]) -> None:
    """Gives a list or deque this content; a list in one step, since others may be reading it."""
    if is_a(items, list):
        items[:] = content
    else:
        items.clear()
        items.extend(content)


def restore_mapping(mapping: dict[Any, Any], old: dict[Any, Any]) -> None:
    """Item by item: a mapping in use must never be seen empty."""
    kind = _plain_kind(mapping)
    for key in [key for key in dict.keys(mapping) if key not in old]:
        kind.pop(mapping, key, None)
    for key, value in old.items():
        if dict.get(mapping, key, _MISSING) is not value:
            kind.__setitem__(mapping, key, value)


def _plain_kind(mapping: dict[Any, Any]) -> type[dict[Any, Any]]:
    """Whose methods change a mapping without running code of the app; an ordered one has its order elsewhere too."""
    return OrderedDict if is_a(mapping, OrderedDict) else dict


def reorder(mapping: dict[Any, Any], keys: list[Any]) -> None:
    """Gives a mapping's keys this order, as far as it has them; nothing is done where they have it."""
    wanted = [key for key in keys if key in mapping]
    wanted += [key for key in mapping if key not in wanted] if len(wanted) < len(mapping) else []
    same = sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], zip(mapping, wanted, strict=True)))
    kind = _plain_kind(mapping)
    for key in wanted[same:]:
        kind.__setitem__(mapping, key, kind.pop(mapping, key))


def restore_class(cls: type, old: dict[str, Any]) -> None:
    """Gives a class the namespace that it had."""
    for name in [name for name in cls.__dict__ if name not in old]:
        _drop_class_attribute(cls, name)
    for name, value in old.items():
        if cls.__dict__.get(name, _MISSING) is not value and name not in ("__dict__", "__weakref__"):
            type.__setattr__(cls, name, value)


class Imports:
    """Which modules were imported, to take away those that a failed swap brought in."""

    def __init__(self, is_own: Callable[[str], bool]) -> None:
        self.is_own = is_own
        self.before = {name: module for name, module in sys.modules.items() if is_own(name)}

    def restore(self) -> None:
        """Forgets the app's modules that were imported since, and remembers those that were dropped."""
        now = {name: module for name, module in sys.modules.items() if self.is_own(name)}
        for name, module in now.items():
            if name not in self.before:
                del sys.modules[name]
                _unbind_from_parent(name, module)
        for name, module in self.before.items():
            if sys.modules.get(name) is not module:
                sys.modules[name] = module


def _unbind_from_parent(name: str, module: ModuleType) -> None:
    parent, _, child = name.rpartition(".")
    namespace = vars(sys.modules[parent]) if parent in sys.modules else {}
    if namespace.get(child) is module:
        del namespace[child]

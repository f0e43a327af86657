"""Who copied a function's docstring, annotations and the like, so that copies follow when the function changes.

`functools.wraps` and all that is built on it, properties, static methods and cached properties take over what they show
of a function at the moment they are made, and so do records of functions, as commands with a text of help. Python keeps
no note of that; but such an object holds the function, and what it copied is still the function's. What was set
otherwise since is not the function's any more, and stays. A function that wraps a class has copies of all that the
class bound then.
"""

from __future__ import annotations

import functools
import inspect
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from habanero_receiver.swap.diff import docstring
from habanero_receiver.swap.finding.live import cell_content
from habanero_receiver.swap.kinds import instance_dict, is_a
from habanero_receiver.swap.undo import Step, UndoLog

_COPIED = ("__doc__", "__annotations__", "__type_params__")
"""What can change of a function that stays the same object, and what others take from it."""
_OF_PYTHON = ("__slotnames__",)
"""What Python notes in a class when it first copies an instance."""
_ABSENT: Any = object()


class Copies:
    """The objects that hold a function and may show what it shows, among what structure leads to."""

    def __init__(self) -> None:
        self._holders: dict[int, list[Any]] = defaultdict(list)
        self._of_classes: list[tuple[dict[str, Any], type]] = []

    def add(self, item: object) -> None:
        """Takes an object in, if it holds a function or wraps a class."""
        if is_a(item, FunctionType) and is_a(wrapped := item.__dict__.get("__wrapped__"), type):
            self._of_classes.append((item.__dict__, wrapped))
        for source in _held(item):
            self._holders[id(source)].append(item)

    def following(self, pairs: list[tuple[Step, Step]]) -> list[tuple[Step, Step]]:
        """The further steps, with inverses, that let copies follow what ``pairs`` assign to functions."""
        more: list[tuple[Step, Step]] = []
        for step, inverse in pairs:
            if step[0] is setattr and step[2] in _COPIED and is_a(step[1], FunctionType):
                more.extend(self._follow(step[1], step[2], inverse[3], step[3]))
        return more

    def _follow(self, source: object, name: str, old: object, new: object) -> Iterator[tuple[Step, Step]]:
        waiting, done = [source], {id(source)}
        while waiting:
            source = waiting.pop()
            for holder in self._holders.get(id(source), ()):
                puts = [put for put, value in _places(holder, source, name, old) if _same(value, old)]
                pairs = [((*put, new), (*put, old)) for put in puts]
                if name == "__doc__" and is_a(old, str) and is_a(new, str):
                    pairs += _noted(holder, old, new)
                if pairs and id(holder) not in done:
                    done.add(id(holder))
                    waiting.append(holder)
                    yield from pairs

    def of_classes(self) -> list[ClassCopy]:
        """The functions that have copies of all that a class binds now."""
        held = ((names, cls, dict(vars(cls))) for names, cls in self._of_classes)
        return [ClassCopy(*copy) for copy in held if "__module__" in copy[0]]  # no function has it there by itself


@dataclass(frozen=True, slots=True)
class ClassCopy:
    """What a function copied of a class that it wraps, and what the class bound before the commit."""

    names: dict[str, Any]
    cls: type
    was: Mapping[str, Any]

    def follow(self, log: UndoLog) -> None:
        """Has the copies follow that were what the class bound."""
        now = vars(self.cls)
        for name in {**self.was, **now}:
            old, new = self.was.get(name, _ABSENT), now.get(name, _ABSENT)
            if new is old or name in _OF_PYTHON or not _same(self.names.get(name, _ABSENT), old):
                continue
            if new is _ABSENT:
                log.delete_item(self.names, name)
            else:
                log.set_item(self.names, name, new)


def is_copied(function: FunctionType, name: str) -> bool:
    """Whether what a function shows by that name is what one shows that it wraps.

    Annotations tell by themselves whose they are; text does not, and counts only if the function says what it wraps.
    """
    mine = getattr(function, name)
    sources = _held(function) if is_a(mine, dict) else [function.__dict__.get("__wrapped__")]
    return any(getattr(source, name, _ABSENT) is mine for source in sources if source is not None)


def _held(item: Any) -> list[object]:
    """What ``item`` may have copied from."""
    if is_a(item, FunctionType):
        contents = [content for cell in item.__closure__ or () for content in cell_content(cell)]
        held: list[object] = [item.__dict__.get("__wrapped__"), *contents]
    elif is_a(item, property):
        held = [item.fget]
    elif is_a(item, (staticmethod, classmethod)):
        held = [item.__func__]
    elif is_a(item, type):
        return []
    else:
        names = instance_dict(item) or {}
        documents = "__doc__" in names or any(type(value) is str for value in names.values())
        held = [names.get("__wrapped__"), *names.values()] if documents else []
    functions = [value for value in held if is_a(value, FunctionType) or _wraps(value)]
    return list({id(value): value for value in functions}.values())


def _wraps(value: object) -> bool:
    """Whether an object that is no function can have been wrapped in its turn, and so be a link of a chain."""
    if is_a(value, (staticmethod, classmethod, functools.cached_property)):
        return True
    return not is_a(value, type) and "__wrapped__" in (instance_dict(value) or ())


def _places(holder: Any, source: object, name: str, old: object) -> Iterator[tuple[Step, object]]:
    """Where the holder may have its copy: what assigns it, given the value, and the value there now."""
    names = instance_dict(holder) or {}
    if is_a(holder, FunctionType):
        own = name == "__doc__" and docstring(holder.__code__) is not None
        if names.get("__wrapped__") is source or (old and not own):
            yield (setattr, holder, name), getattr(holder, name, _ABSENT)
    elif is_a(holder, property) and name == "__doc__" and name not in names:
        yield (setattr, holder, name), holder.__doc__
    if name in names:  # of a function too: `wraps` copies what an object that it wraps has there
        yield (names.__setitem__, name), names[name]


def _noted(record: Any, old: str, new: str) -> list[tuple[Step, Step]]:
    """What has a record of a function (``self.help = getdoc(function)``) show the new docstring in place of the old.

    A single word may be a name: it tells nothing.
    """
    if is_a(record, (FunctionType, property, staticmethod, classmethod)) or old.strip().isidentifier():
        return []
    names = instance_dict(record) or {}
    forms = {old: new, inspect.cleandoc(old): inspect.cleandoc(new)}
    return [
        ((names.__setitem__, name, forms[value]), (names.__setitem__, name, value))
        for name, value in names.items()
        if name != "__doc__" and type(value) is str and value in forms
    ]


def _same(value: object, old: object) -> bool:
    return value is old or (is_a(value, str) and value == old)

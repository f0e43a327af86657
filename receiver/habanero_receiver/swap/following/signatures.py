"""What a kept function was born with: its defaults and annotations follow what they were computed from.

A ``def`` is evaluated twice, as its names were and as they are: only what equals the former may become the latter. The
rule it upholds: nothing is called twice. What is the result of a call stays what it is, and whatever stands beside it
is evaluated without it.
"""

from __future__ import annotations

import dis
import re
from collections import Counter
from types import CodeType, FunctionType, GenericAlias, UnionType
from typing import Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.finding.live import reachable
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.undo import UndoLog

from .constants import same_constant

_NAME = re.compile(r"[^\W\d]\w*")


def function_of(unit: Unit, living: Any) -> FunctionType | None:
    """The living function of a ``def``, inside its decorators."""
    places = {(c.co_qualname, c.co_filename) for c in unit.code.co_consts if is_a(c, CodeType)}
    for item in reachable([living], frozenset()):
        if is_a(item, FunctionType) and (item.__code__.co_qualname, item.__code__.co_filename) in places:
            return item
    return None


def readable(unit: Unit) -> CodeType | None:
    """Code that tells what a function is born with, as far as nothing is called for it."""
    code = unit.bare or unit.code
    return code if not calls(code) else unit.annotate


def unread(unit: Unit) -> tuple[str, ...]:
    """The names that are read by what `readable` leaves out."""
    code = unit.bare or unit.code
    if readable(unit) is code:
        return ()
    return tuple(_loads(code) - (_loads(unit.annotate) if unit.annotate is not None else Counter()))


def born_with(unit: Unit) -> frozenset[str]:
    """The names that a function reads when it is made: those of its defaults, and of annotations that are no text."""
    return frozenset(_loads(unit.bare or unit.code))


def named_in_text(function: FunctionType) -> set[str]:
    """The names in annotations of a function that are kept as text."""
    texts = (text for text in function.__annotations__.values() if type(text) is str)
    return {name for text in texts for name in _NAME.findall(text)}


def decorators_of(unit: Unit) -> tuple[str, ...]:
    """The names that the decorators of a function read."""
    return () if unit.decorate is None else unit.decorate.co_names


def follow_signature(log: UndoLog, function: FunctionType, was: Any, now: Any) -> bool:
    """Gives a living function what ``now`` was born with, one by one, where it has what ``was`` was born with.

    Returns whether anything changed.
    """
    changes: dict[str, tuple[Any, Any]] = {}
    held, before, after = (f.__defaults__ or () for f in (function, was, now))
    if len(held) == len(before) == len(after):
        changes["__defaults__"] = (held, tuple(map(choose, held, before, after)))
    for name in ("__kwdefaults__", "__annotations__"):
        have, were, are = (getattr(f, name) or {} for f in (function, was, now))
        if have.keys() == were.keys() == are.keys():
            changes[name] = (have, {key: choose(have[key], were[key], are[key]) for key in have})
    moved = {name: new for name, (old, new) in changes.items() if not _same_objects(old, new)}
    for name, value in moved.items():
        log.set_attribute(function, name, value)
    return bool(moved)


def choose(live: Any, was: Any, now: Any) -> Any:
    """What to hold instead of ``live``: ``now``, if the old binding made it what it is."""
    return now if same_constant(live, was) or (_is_typing(live) and live == was) else live


def calls(code: CodeType) -> bool:
    """Whether running code calls anything."""
    return any(instruction.opname.startswith("CALL") for instruction in dis.get_instructions(code))


def _loads(code: CodeType) -> Counter[str]:
    """How often code reads each name."""
    found = (i for i in dis.get_instructions(code) if i.opname in ("LOAD_NAME", "LOAD_GLOBAL"))
    return Counter(str(instruction.argval) for instruction in found)


def _is_typing(value: Any) -> bool:
    """Whether it is made by subscribing or joining types, anew each time."""
    return is_a(value, (GenericAlias, UnionType)) or type(value).__module__ == "typing"


def _same_objects(old: Any, new: Any) -> bool:
    values = (list(v.values()) if is_a(v, dict) else v for v in (old, new))
    return all(a is b for a, b in zip(*values, strict=True))

"""Tells whether calling two forms of a function does the same, by their bytecode.

Beside `diff.same_behaviour`, which asks whether the code is the same, this asks what comes of a call: annotations of
the functions that are made on the way are left out, since making a function with other annotations computes nothing
else. It runs nothing. What it does not understand counts as a difference.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator, Sequence
from itertools import pairwise
from types import CodeType
from typing import Any

from habanero_receiver.swap.diff import functions_in, same_behaviour, without_inner

_ANNOTATIONS, _CLOSURE = 4, 8
"""What the making of a function is told to take from the stack."""
_ABOUT = ("__doc__", "__firstlineno__", "__static_attributes__")
"""What the body of a class says of itself."""
_JUMPS = frozenset((*dis.hasjrel, *dis.hasjabs))


def does_the_same(old: CodeType, new: CodeType) -> bool:
    """Whether running two code objects does the same, apart from what the functions do that are made in them."""
    if same_behaviour(without_inner(old), without_inner(new)):
        return True
    if _signature(old) != _signature(new) or old.co_name != new.co_name or not functions_in(old):
        return False
    deeds = [_deeds(code) for code in (old, new)]
    return deeds[0] is not None and deeds[0] == deeds[1]


def _signature(code: CodeType) -> tuple[Any, ...]:
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    return (code.co_flags, *counts, code.co_varnames[:count])


def _deeds(code: CodeType) -> list[Any] | None:
    """The instructions without those that make annotations, and with what they speak of instead of where that is."""
    listed = dis.Bytecode(code)
    steps = list(listed)
    dropped = _annotating(steps)
    if dropped is None:
        return None
    for value, stored in pairwise(steps):
        if stored.opname == "STORE_NAME" and stored.argval in _ABOUT and value.opname in ("LOAD_CONST", "RETURN_CONST"):
            dropped.update((value.offset, stored.offset))
    dropped.update(step.offset for step in steps if step.opname in ("NOP", "EXTENDED_ARG"))
    places, count = {}, 0
    for step in steps:
        places[step.offset] = count  # of what is dropped: where the next is
        count += step.offset not in dropped
    found: list[Any] = [(step.opname, _meaning(step, places)) for step in steps if step.offset not in dropped]
    entries = getattr(listed, "exception_entries", ())
    return [*found, *((*(places.get(at, count) for at in (e.start, e.end, e.target)), e.depth) for e in entries)]


def _meaning(step: dis.Instruction, places: dict[int, int]) -> Any:
    value = step.argval
    if isinstance(value, CodeType):
        runs_along = value.co_name.endswith(("comp>", "genexpr>"))
        return (*_signature(value), _deeds(value)) if runs_along else value.co_name
    if step.opcode in _JUMPS:
        return places.get(value, -1)
    if step.opname == "MAKE_FUNCTION":
        return (step.arg or 0) & ~_ANNOTATIONS
    return (type(value), repr(value)) if step.opname == "LOAD_CONST" else value


def _annotating(steps: Sequence[dis.Instruction]) -> set[int] | None:
    """Where the instructions are that make annotations of functions; None if that cannot be told."""
    dropped: set[int] = set()
    for index, step in enumerate(steps):
        if step.opname != "MAKE_FUNCTION":
            continue
        given = [step, *_following(steps, index)]
        flags = sum({(s.arg or 0) for s in given})
        if not flags & _ANNOTATIONS:
            continue
        end: int | None = index - 1  # what was put on the stack last: the code, before it the closure
        for _ in range(2 if flags & _CLOSURE else 1):
            end = _start(steps, end) if end is not None else None
            end = None if end is None else end - 1
        start = _start(steps, end) if end is not None else None
        if start is None or end is None:
            return None
        dropped.update(s.offset for s in steps[start : end + 1])
        dropped.update(s.offset for s in given[1:] if s.arg == _ANNOTATIONS)
    return dropped


def _following(steps: Sequence[dis.Instruction], index: int) -> Iterator[dis.Instruction]:
    """What sets the attributes of a function that was just made, where that takes instructions of its own (3.13)."""
    for step in steps[index + 1 : index + 5]:
        if step.opname != "SET_FUNCTION_ATTRIBUTE":
            return
        yield step


def _start(steps: Sequence[dis.Instruction], end: int) -> int | None:
    """Where the expression begins whose value the instruction at ``end`` leaves; None if jumps are in it."""
    depth = 0
    for index in range(end, -1, -1):
        step = steps[index]
        if step.opcode in _JUMPS:
            return None
        depth += dis.stack_effect(step.opcode, step.arg if step.opcode >= dis.HAVE_ARGUMENT else None)
        if depth == 1:
            return index
    return None

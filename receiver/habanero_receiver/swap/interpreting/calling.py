"""What instructions that build values, make functions and call do to a `Machine`, as those in `instructions`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from .machine import Handler, Machine, Step, handles
from .values import NULL, UNKNOWN, Born, Items, Known, Listed, Made, Super, Value, join

INSTRUCTIONS: dict[str, Handler] = {}
"""By name."""
_handles = partial(handles, INSTRUCTIONS)


@_handles("BUILD_TUPLE")
def _tuple(m: Machine, step: Step) -> None:
    m.push(Items(tuple(m.take(step.arg))))


@_handles("BUILD_SET", "BUILD_MAP", "BUILD_STRING")
def _container(m: Machine, step: Step) -> None:
    m.take(step.arg * (2 if step.name == "BUILD_MAP" else 1))
    kinds: dict[str, type] = {"BUILD_SET": set, "BUILD_MAP": dict, "BUILD_STRING": str}
    m.push(Made(kinds[step.name]))


@_handles("BUILD_LIST")
def _list(m: Machine, step: Step) -> None:
    m.push(Listed(tuple(m.take(step.arg))))


@_handles("LIST_EXTEND")
def _extend(m: Machine, step: Step) -> None:
    more = m.pop()
    m.world.special(more, "__iter__")
    given = m.stack[-step.arg] if len(m.stack) >= step.arg else UNKNOWN
    if isinstance(given, Listed):
        known = isinstance(more, Items) and given.whole
        items = (*given.items, *more.items) if isinstance(more, Items) and known else given.items
        m.stack[-step.arg] = Listed(items, known and isinstance(more, Items) and more.whole)


@_handles("LIST_TO_TUPLE", "CALL_INTRINSIC_1")
def _tuple_of(m: Machine, step: Step) -> None:
    value = m.pop()
    known = isinstance(value, Listed) and (step.name == "LIST_TO_TUPLE" or "LIST_TO_TUPLE" in step.text)
    m.push(Items(value.items, value.whole) if isinstance(value, Listed) and known else UNKNOWN)


@_handles("LIST_APPEND", "SET_ADD", "SET_UPDATE", "DICT_UPDATE", "DICT_MERGE", "MAP_ADD")
def _add(m: Machine, step: Step) -> None:
    last = m.take(2 if step.name == "MAP_ADD" else 1)[-1]
    if step.name.endswith(("UPDATE", "MERGE")):
        m.world.special(last, "__iter__")


@_handles("UNPACK_SEQUENCE")
def _unpack(m: Machine, step: Step) -> None:
    value = m.pop()
    known = isinstance(value, Items) and value.whole and len(value.items) == step.arg
    m.push(*(reversed(value.items) if isinstance(value, Items) and known else [UNKNOWN] * step.arg))


@_handles("COPY")
def _copy(m: Machine, step: Step) -> None:
    m.push(m.stack[-step.arg] if len(m.stack) >= step.arg else UNKNOWN)


@_handles("SWAP")
def _swap(m: Machine, step: Step) -> None:
    if len(m.stack) >= step.arg:
        m.stack[-1], m.stack[-step.arg] = m.stack[-step.arg], m.stack[-1]


@_handles("POP_TOP")
def _drop(m: Machine, _: Step) -> None:
    m.pop()


@_handles("RETURN_VALUE", "RETURN_CONST")
def _return(m: Machine, step: Step) -> None:
    value = m.pop() if step.name == "RETURN_VALUE" else Known(step.value)
    m.result = value if m.result is None else join(m.result, value)


@_handles("MAKE_FUNCTION")
def _make(m: Machine, step: Step) -> None:
    code = m.pop()
    m.take(step.arg.bit_count())
    made: Value = UNKNOWN
    if isinstance(code, Known):
        cells = {name: m.local[name] for name in code.value.co_freevars if name in m.local}
        made = Born(code.value, m.names, cells)
        m.world.born(made)
    m.push(made)


@_handles("SET_FUNCTION_ATTRIBUTE")
def _set_made(m: Machine, _: Step) -> None:
    m.push(m.take(2)[1])


@_handles("KW_NAMES")
def _name_arguments(m: Machine, step: Step) -> None:
    m.named = m.code.co_consts[step.arg]  # on 3.11, `dis` does not tell


@_handles("CALL")
def _call(m: Machine, step: Step) -> None:
    names, m.named = m.named, ()
    _call_with(m, m.take(step.arg), names)


@_handles("CALL_KW")
def _call_named(m: Machine, step: Step) -> None:
    names = m.pop()
    _call_with(m, m.take(step.arg), names.value if isinstance(names, Known) else ())


def _call_with(m: Machine, args: list[Value], names: Iterable[str], *, exact: bool = True) -> None:
    names = tuple(names)
    named = dict(zip(names, args[len(args) - len(names) :], strict=False))
    args = args[: len(args) - len(names)]
    one, other = m.take(2)
    called = one if one is not NULL else other
    if one is not NULL and other is not NULL:
        args = [other, *args]
    if isinstance(called, Known) and called.value is super and not args:
        m.push(_super(m))
        return
    m.push(m.world.call(called, args, named, exact=exact))


def _super(m: Machine) -> Value:
    """What ``super()`` gives where it is called as any other."""
    cell = m.local.get("__class__")
    first = m.code.co_varnames[:1]
    if isinstance(cell, Known) and isinstance(cell.value, type) and first:
        return Super(cell.value, m.local.get(first[0], UNKNOWN))
    return UNKNOWN


@_handles("CALL_FUNCTION_EX")
def _call_spread(m: Machine, step: Step) -> None:
    if step.arg & 1:
        m.pop()
    given = m.pop()
    known = isinstance(given, Items) and given.whole and not step.arg & 1
    _call_with(m, [*given.items] if isinstance(given, Items) else [], (), exact=known)

"""What instructions that name things and compute with them do to a `Machine`: its stack, its local names, its world.

Those that build and call are in `calling`; jumps `Machine` follows itself. Names of several Pythons stand side by
side; what one of them does not have is never met there.
"""

from __future__ import annotations

import dis
import operator
import sys
from functools import partial
from typing import Any

from .machine import Handler, Machine, Step, handles
from .values import NULL, UNKNOWN, Items, Known, Super, Value, part_of

_FLAGGED = "LOAD_SUPER_ATTR" in dis.opmap
"""Whether one instruction reads attributes and methods, and says by a flag which: from Python 3.12."""
_OPERATORS = {
    "+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "@": "matmul", "**": "pow",
    "<<": "lshift", ">>": "rshift", "&": "and", "|": "or", "^": "xor",
}  # fmt: skip
_COMPARED = {"<": "lt", "<=": "le", "==": "eq", "!=": "ne", ">": "gt", ">=": "ge"}
_UNARY = {"UNARY_NEGATIVE": "neg", "UNARY_INVERT": "invert", "UNARY_POSITIVE": "pos"}


INSTRUCTIONS: dict[str, Handler] = {}
"""By name."""
_handles = partial(handles, INSTRUCTIONS)


# ---- names


@_handles("LOAD_CONST")
def _constant(m: Machine, step: Step) -> None:
    m.push(Known(step.value))


@_handles("PUSH_NULL")
def _null(m: Machine, _: Step) -> None:
    m.push(NULL)


@_handles("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
def _load_name(m: Machine, step: Step) -> None:
    if step.name == "LOAD_FROM_DICT_OR_GLOBALS":
        m.pop()
    if step.name == "LOAD_GLOBAL" and step.arg & 1:
        m.push(NULL)
    local = step.name != "LOAD_GLOBAL"
    bound = m.local.get(step.value) if local else None
    m.push(bound if bound is not None else m.world.read(str(step.value), local=local))


@_handles("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_AND_CLEAR", "LOAD_FAST_LOAD_FAST", "LOAD_DEREF",
          "LOAD_CLASSDEREF", "LOAD_CLOSURE")  # fmt: skip
def _load_local(m: Machine, step: Step) -> None:
    for name in step.value if isinstance(step.value, tuple) else (step.value,):
        m.push(m.local.get(name, UNKNOWN))


@_handles("LOAD_FROM_DICT_OR_DEREF")
def _load_cell_or_name(m: Machine, step: Step) -> None:
    m.pop()
    m.push(m.local.get(step.value, UNKNOWN))


@_handles("STORE_FAST", "STORE_DEREF", "STORE_NAME", "STORE_FAST_STORE_FAST")
def _store_local(m: Machine, step: Step) -> None:
    for name in step.value if isinstance(step.value, tuple) else (step.value,):
        m.local[name] = m.pop()


@_handles("STORE_FAST_LOAD_FAST")
def _store_and_load(m: Machine, step: Step) -> None:
    m.local[step.value[0]] = m.pop()
    m.push(m.local.get(step.value[1], UNKNOWN))


@_handles("DELETE_FAST", "DELETE_DEREF", "DELETE_NAME", "DELETE_GLOBAL")
def _delete_local(m: Machine, step: Step) -> None:
    m.local.pop(step.value, None)


@_handles("STORE_GLOBAL")
def _store_global(m: Machine, step: Step) -> None:
    m.pop()
    m.world.write(str(step.value))


@_handles("IMPORT_NAME")
def _import(m: Machine, step: Step) -> None:
    level, listed = m.take(2)
    depth = level.value if isinstance(level, Known) and isinstance(level.value, int) else 0
    m.push(m.world.module(str(step.value), depth, top=listed.truth is False))


@_handles("IMPORT_FROM")
def _import_from(m: Machine, step: Step) -> None:
    m.push(m.world.attribute(m.stack[-1] if m.stack else UNKNOWN, str(step.value)))


# ---- attributes, items, operators


@_handles("LOAD_ATTR", "LOAD_METHOD")
def _load_attribute(m: Machine, step: Step) -> None:
    found = m.world.attribute(m.pop(), str(step.value))
    if step.name == "LOAD_METHOD" or (_FLAGGED and step.arg & 1):
        m.push(NULL)
    m.push(found)


@_handles("LOAD_SUPER_ATTR")
def _load_super(m: Machine, step: Step) -> None:
    _, after, receiver = m.take(3)
    found: Value = UNKNOWN
    if isinstance(after, Known) and isinstance(after.value, type):
        found = m.world.attribute(Super(after.value, receiver), str(step.value))
    if step.arg & 1:
        m.push(NULL)
    m.push(found)


@_handles("STORE_ATTR")
def _store_attribute(m: Machine, step: Step) -> None:
    stored, holder = m.take(2)
    m.world.store(holder, str(step.value), stored)


@_handles("DELETE_ATTR")
def _delete_attribute(m: Machine, _: Step) -> None:
    m.world.touch(m.pop())


@_handles("BINARY_OP")
def _binary(m: Machine, step: Step) -> None:
    one, other = m.take(2)
    word = step.text.removesuffix("=")
    name = _OPERATORS.get(word, "")
    found: Value = UNKNOWN
    if step.text != word:
        found = m.world.special(one, f"__i{name}__", other)
        m.world.touch(one)
    if found.cls is None:
        found = m.world.special(one, f"__{name}__", other)
    other_way = m.world.special(other, f"__r{name}__", one) if one.cls is not other.cls else UNKNOWN
    m.push(found if found.cls is not None else other_way)


@_handles("COMPARE_OP")
def _compare(m: Machine, step: Step) -> None:
    one, other = m.take(2)
    word = str(step.value)
    if isinstance(one, Known) and isinstance(other, Known) and _comparable(one.value) and _comparable(other.value):
        same_kind = isinstance(one.value, type(other.value)) or word in ("==", "!=")
        compared = getattr(operator, _COMPARED[word])(one.value, other.value) if same_kind else None
        m.push(UNKNOWN if compared is None else Known(compared))
        return
    m.world.special(other, f"__{_COMPARED[word]}__", one)
    m.push(m.world.special(one, f"__{_COMPARED[word]}__", other))


def _comparable(value: Any) -> bool:
    """Whether comparing it runs no code of the app."""
    return (
        type(value) in (int, str, bool)
        or type(value) is type(sys.version_info)
        or (type(value) is tuple and all(map(_comparable, value)))
    )


@_handles("IS_OP")
def _identity(m: Machine, step: Step) -> None:
    one, other = m.take(2)
    same: bool | None = None
    if isinstance(one, Known) and isinstance(other, Known):
        same = one.value is other.value
    elif one.cls is not None and other.cls is not None and one.cls is not other.cls:
        same = False
    m.push(UNKNOWN if same is None else Known(same is not bool(step.arg)))


@_handles("CONTAINS_OP")
def _contains(m: Machine, _: Step) -> None:
    item, holder = m.take(2)
    m.world.special(holder, "__contains__", item)
    m.push(UNKNOWN)


@_handles("UNARY_NOT", "TO_BOOL")
def _bool(m: Machine, step: Step) -> None:
    truth = m.truth(m.pop())
    m.push(UNKNOWN if truth is None else Known(truth is (step.name == "TO_BOOL")))


@_handles("BINARY_SUBSCR")
def _item(m: Machine, _: Step) -> None:
    holder, key = m.take(2)
    if isinstance(holder, Items) and isinstance(key, Known) and type(key.value) is int:
        fits = 0 <= key.value < len(holder.items)
        m.push(holder.items[key.value] if fits else UNKNOWN)
        return
    found = m.world.special(holder, "__getitem__", key)
    m.push(part_of(holder) if found is UNKNOWN else found)


@_handles("STORE_SUBSCR", "DELETE_SUBSCR")
def _store_item(m: Machine, step: Step) -> None:
    stored, holder, key = m.take(3) if step.name == "STORE_SUBSCR" else (UNKNOWN, *m.take(2))
    m.world.touch(holder)
    m.world.special(holder, "__setitem__", key, stored)


@_handles("GET_ITER")
def _iterate(m: Machine, _: Step) -> None:
    value = m.pop()
    found = UNKNOWN if isinstance(value, Items) else m.world.special(value, "__iter__")
    m.push(part_of(value) if found is UNKNOWN else found)


@_handles("FOR_ITER")
def _next(m: Machine, _: Step) -> None:
    holder = m.stack[-1] if m.stack else UNKNOWN
    found = m.world.special(holder, "__next__")
    m.push(part_of(holder) if found is UNKNOWN else found)


@_handles("BEFORE_WITH")
def _enter(m: Machine, _: Step) -> None:
    manager = m.pop()
    m.world.special(manager, "__exit__")
    m.push(UNKNOWN, m.world.special(manager, "__enter__"))


@_handles(*_UNARY)
def _unary(m: Machine, step: Step) -> None:
    m.push(m.world.special(m.pop(), f"__{_UNARY[step.name]}__"))

"""Tells whether running code does nothing but build a value, so that it can be run again without anyone noticing.

The rule that it upholds: whatever such code handles is a constant, a plain value that it reads, or was built by it from
these, of built-in types throughout. It calls what `constants` lists, methods of such values, and functions of the
app for which the same holds. Anything else that it reads, calls, writes or imports makes it impure.
"""

from __future__ import annotations

import builtins
import dis
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import takewhile
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from habanero_receiver.swap.kinds import instance_dict, is_a
from habanero_receiver.swap.statements.scope import Scope

from .constants import is_constant, only_computes

_RAISED = (ValueError, TypeError, LookupError, KeyError, IndexError, StopIteration)
ATTRIBUTE = ("LOAD_ATTR", "LOAD_METHOD")
"""The instructions that read an attribute."""
_COROUTINES = 0x80 | 0x100 | 0x200
_BUILDING = (
    "RESUME", "NOP", "CACHE", "COPY", "SWAP", "POP_TOP", "PUSH_NULL", "PRECALL", "KW_NAMES", "CALL", "CALL_KW",
    "CALL_FUNCTION_EX", "RETURN_", "LOAD_CONST", "LOAD_FAST", "STORE_FAST", "DELETE_FAST", "LOAD_DEREF", "STORE_DEREF",
    "LOAD_CLOSURE", "MAKE_CELL", "COPY_FREE_VARS", "MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE", "BUILD_", "LIST_",
    "SET_ADD", "SET_UPDATE", "MAP_ADD", "DICT_", "BINARY_", "UNARY_", "COMPARE_OP", "IS_OP", "CONTAINS_OP", "TO_BOOL",
    "FORMAT_", "CONVERT_VALUE", "JUMP_", "POP_JUMP_", "FOR_ITER", "END_FOR", "GET_ITER", "GET_LEN", "UNPACK_",
    "STORE_SUBSCR", "STORE_SLICE", "DELETE_SUBSCR", "RAISE_VARARGS", "LOAD_ASSERTION_ERROR", "PUSH_EXC_INFO",
    "POP_EXCEPT", "RERAISE", "CHECK_EXC_MATCH", "EXTENDED_ARG", "YIELD_VALUE", "MATCH_SEQUENCE", "MATCH_MAPPING",
    "MATCH_KEYS", "SETUP_ANNOTATIONS",
)  # fmt: skip
"""How the instructions begin that build values and move between them; those that read names are looked at apart."""
_INTRINSICS = ("INTRINSIC_LIST_TO_TUPLE", "INTRINSIC_UNARY_POSITIVE", "INTRINSIC_STOPITERATION_ERROR")
_UNKNOWN: Any = object()


def only_builds(code: CodeType, scope: Scope, local: Mapping[str, Any]) -> bool:
    """Whether running a statement's code with these local names only binds its own to values that it builds."""
    return _Judge(scope.is_own).allows(code, {**scope.globals, **local}, scope.globals)


class _Judge:
    def __init__(self, is_own: Callable[[str], bool]) -> None:
        self.is_own = is_own
        self.judged: set[int] = set()

    def allows(self, code: CodeType, local: Mapping[str, Any], names: Mapping[str, Any]) -> bool:
        """``local`` are the names that plain lookup finds, ``names`` the globals."""
        if id(code) in self.judged:
            return True  # judged already, or being judged: a circle adds nothing
        self.judged.add(id(code))
        steps = list(dis.get_instructions(code))
        bound: set[str] = {"__annotations__"}
        for index, step in enumerate(steps):
            if step.opname == "STORE_NAME":
                bound.add(step.argval)
            elif step.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
                space = local if step.opname == "LOAD_NAME" else names
                if step.argval not in bound and not self._may_read(space, step.argval, steps[index + 1 : index + 9]):
                    return False
            elif step.opname in ATTRIBUTE:
                if str(step.argval).startswith("_"):
                    return False
            elif not _builds(step):
                return False
        return all(self.allows(inner, local, names) for inner in _inside(code))

    def _may_read(self, space: Mapping[str, Any], name: str, following: Iterable[dis.Instruction]) -> bool:
        value = space.get(name, getattr(builtins, name, _UNKNOWN))
        for step in takewhile(lambda step: step.opname in ATTRIBUTE, following):
            attribute = str(step.argval)
            if self._is_transparent(value):
                return is_constant((instance_dict(value) or {}).get(attribute, _held(type(value), attribute)))
            if not (is_a(value, ModuleType) or (type(value) is type and self.is_own(value.__module__))):
                break
            value = _held(value, attribute)
        return self._may_use(value)

    def _is_transparent(self, value: Any) -> bool:
        """Whether it is an instance of a class of the app that leaves it to Python to look up attributes."""
        kind = type(value)
        return (
            self.is_own(kind.__module__)
            and _held(kind, "__getattribute__") is vars(object)["__getattribute__"]
            and _held(kind, "__getattr__") is _UNKNOWN
        )

    def _may_use(self, value: Any) -> bool:
        if is_a(value, FunctionType) and self.is_own(value.__module__ or ""):
            return self._may_call(value)
        if type(value) is partial:
            return self._may_use(value.func) and all(map(is_constant, (*value.args, *value.keywords.values())))
        if is_constant(value) or type(value).__module__ == "typing":
            return True
        if is_a(value, (type, BuiltinFunctionType, FunctionType)):
            return only_computes(value) or value in _RAISED
        return False

    def _may_call(self, function: FunctionType) -> bool:
        code = function.__code__
        if code.co_freevars or code.co_flags & _COROUTINES:
            return False
        defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        return all(map(is_constant, defaults)) and self.allows(code, {}, function.__globals__)


def _builds(step: dis.Instruction) -> bool:
    if step.opname == "CALL_INTRINSIC_1":
        return step.argrepr in _INTRINSICS
    return step.opname.startswith(_BUILDING)


def _held(owner: Any, name: str) -> Any:
    """What a module or a class binds by that name, without running any code of it."""
    for namespace in (vars(owner),) if is_a(owner, ModuleType) else map(vars, owner.__mro__):
        if name in namespace:
            return namespace[name]
    return _UNKNOWN


def _inside(code: CodeType) -> Iterator[CodeType]:
    return (constant for constant in code.co_consts if is_a(constant, CodeType))

"""Describes code objects field by field, so that they can leave the process and be compared. Runs nothing."""

from __future__ import annotations

import hashlib
import types
import typing


def describe_code(code: types.CodeType, text: typing.Callable[[object], str]) -> dict[str, object]:
    """Every field of a code object, by name; functions inside it likewise."""
    consts = [describe_code(c, text) if isinstance(c, types.CodeType) else (type(c).__name__, text(c))
              for c in code.co_consts]  # fmt: skip
    fields: dict[str, object] = {
        name: getattr(code, name)
        for name in ("co_name", "co_qualname", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_flags",
                     "co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_firstlineno", "co_code",
                     "co_exceptiontable")
    }  # fmt: skip
    positions = hashlib.sha256(repr(list(code.co_positions())).encode()).hexdigest()
    return {**fields, "co_filename": text(code.co_filename), "co_consts": consts, "positions": positions}

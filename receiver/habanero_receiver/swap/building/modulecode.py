"""A module's code object as a release carries it: what an import needs, and nothing else.

The encoded form is ``MAGIC`` and the marshalled code object. A process that starts reads this for every module, so this
file imports next to nothing. The rule it upholds: what it reads is of this format, and has the file name that it is
loaded under; it cannot know whether the bytes are to be trusted, so only verified ones may be given to it.
"""

from __future__ import annotations

import marshal
from importlib import import_module
from types import CodeType
from typing import Any

MAGIC = b"HABCODE3"
_FUNCTIONS = 1 | 2 | 4 | 8 | 16 | 32 | 128 | 512
"""Flags of `inspect` that the compiler sets for functions and never for a module: from CO_OPTIMIZED to CO_NESTED, and
those of generators and coroutines."""
_imp: Any = import_module("_imp")  # as the import system itself takes a moved .pyc; type checkers do not know it


def encode(code: CodeType) -> bytes:
    """The code object of a whole module as bytes."""
    return MAGIC + marshal.dumps(code)


def main_code(blob: bytes | memoryview, filename: str) -> CodeType:
    """The whole module's code object, with ``filename`` as its file. Call it on verified bytes only."""
    code = marshal.loads(payload(blob, MAGIC))
    if not isinstance(code, CodeType) or code.co_name != "<module>" or code.co_flags & _FUNCTIONS:
        raise ValueError("not the code object of a module")
    name_file(code, filename)
    return code


def payload(blob: bytes | memoryview, magic: bytes) -> memoryview:
    """What follows the head of a blob of a build. ValueError for a blob without that head."""
    view = memoryview(blob)
    if view[: len(magic)] != magic or len(view) == len(magic):
        raise ValueError("not a build of this format")
    return view[len(magic) :]


def name_file(code: CodeType, filename: str) -> None:
    """Name the file in ``code`` and all that it contains."""
    _imp._fix_co_filename(code, filename)

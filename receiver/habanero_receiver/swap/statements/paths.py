"""Tells by which dotted names code reads things: ``app.include_router(items.router)`` reads two of them.

It runs nothing, and does not know what the names mean.
"""

from __future__ import annotations

import dis
from types import CodeType


def dotted_names(code: CodeType) -> set[str]:
    """The dotted names that code reads, each as far as it goes."""
    found, path = set(), ""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
            path = str(step.argval)
        elif step.opname in ("LOAD_ATTR", "LOAD_METHOD") and path:
            found.discard(path)
            path = f"{path}.{step.argval}"
        elif path:
            path = ""
            continue
        else:
            continue
        found.add(path)
    return found

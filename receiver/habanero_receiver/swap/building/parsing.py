"""Parses source where other threads may parse at the same moment.

CPython up to 3.12 counts the depth of a tree under construction for the whole interpreter: two threads that parse at
once can make each other's `ast.parse` raise SystemError ("recursion depth mismatch"). It is met by trying again, not by
a lock, which a fork could leave shut and which threads of the app would not take. The rule it upholds: what parses
alone parses here.
"""

from __future__ import annotations

import ast

_TRIES = 100  # each is lost only to a thread that parsed at that very moment


def parse(source: bytes | str, path: str = "<unknown>") -> ast.Module:
    """`ast.parse`, safe among threads. Raises what it raises of the source alone."""
    for _ in range(_TRIES - 1):
        try:
            return ast.parse(source, path)
        except SystemError:
            continue
    return ast.parse(source, path)

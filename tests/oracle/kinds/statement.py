"""What a made-up statement is, and how its kind is written down. Pure data.

A statement has a kind, the name that it binds, a few small numbers that choose among its variants, and the names that
it reads. What it calls at import is of the app, the standard library or a framework, and gives the same every time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

VARIANTS = 4
"""Each number is below this."""
NUMBERS = 5
"""How many numbers a statement has."""
BODY = "    "


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a module; of some kinds, two or three that belong together."""

    kind: str
    name: str
    numbers: tuple[int, ...]
    reads: tuple[str, ...] = ()
    """A plain value that was bound before; then, where its kind wants one, something else that was."""
    comment: int = 0
    """How many lines of comment stand before it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of statement."""

    write: Callable[[Statement], str]
    """Gives the source. The names read may be dotted there."""
    tags: tuple[str, ...]
    """What can be read from it."""
    needs: str
    """The tag of the second name that it reads; empty if it reads one alone."""
    suffixes: tuple[str, ...]
    """What is added to its name gives further names that go with it, where it is imported."""
    frameworks: bool
    """Whether it is of an app that uses frameworks."""
    single: bool
    """Whether a module has one of it at most."""


KINDS: dict[str, Kind] = {}


def kind(
    name: str, *tags: str, needs: str = "", suffixes: tuple[str, ...] = (), frameworks: bool = False,
    single: bool = False, since: tuple[int, int] = (3, 11),
) -> Callable[[Callable[[Statement], str]], Callable[[Statement], str]]:
    """Registers what writes a kind, where this Python has its syntax."""

    def register(write: Callable[[Statement], str]) -> Callable[[Statement], str]:
        if sys.version_info >= since:
            KINDS[name] = Kind(write, tags, needs, suffixes, frameworks, single)
        return write

    return register


def literal(n: int) -> str:
    """One of the plain values."""
    return ("1", "'two'", "(3, 'x')", "0")[n]


def indented(text: str, by: str = BODY) -> str:
    """The lines, moved to the right."""
    return "".join(f"{by}{line}\n" if line else "\n" for line in text.splitlines())


def body(s: Statement, indent: str = BODY) -> str:
    """The body of a function, from numbers 1, 2 and 3."""
    a = s.reads[0]
    lines = [f'"""Says {s.numbers[3]}."""'] if s.numbers[3] else []
    lines += [
        [f"return {a}"],
        [f"x = {literal(s.numbers[1])}", f"return (x, {a})"],
        [f"inner = lambda y={literal(s.numbers[1])}: (y, {a})", "return inner()"],
        ["def inner():", f"    return ({a}, {s.numbers[1]}, where)", "where = 'local'", "return inner"],
    ][s.numbers[2]]
    return "".join(f"{indent}{line}\n" for line in lines)


def signature(s: Statement) -> str:
    """The parameters of a function that can be called without arguments, from numbers 0, 1 and 2."""
    a, n = s.reads[0], s.numbers
    return ("", f"a={a}", f"a={literal(n[1])}, *, b: int = {n[2]}", "*args, k=(), **rest")[n[0]]

"""How code uses global names: what it reads, calls and binds, told from its instructions and from what is bound now.

It runs nothing. Inner functions that run with the code (comprehensions) are part of it.
"""

from __future__ import annotations

import dis
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from .kinds import is_a
from .purity import ATTRIBUTE
from .scope import UNKNOWN


@dataclass(slots=True)
class Read:
    """A global name that code reads or binds."""

    module: str
    name: str
    value: Any
    names: Mapping[str, Any]
    called: bool
    written: bool
    attribute: str = ""
    """What is read of it next, if that is an attribute."""
    globals: Mapping[str, Any] = field(default_factory=dict)

    def now(self) -> Any:
        """What the name is bound to when this is asked."""
        return self.names.get(self.name, UNKNOWN)


def reads(used: Iterable[Use], names: Mapping[str, Any], calls: frozenset[str], is_own: Any) -> Iterator[Read]:
    """What code reads and binds, given how it uses names and what they are bound to."""
    module = str(names.get("__name__"))
    for use in used:
        read = Read(module, use.name, names.get(use.name, UNKNOWN), names, use.called or use.name in calls, use.written)
        for attribute, called in use.attributes:
            if not (is_a(read.value, ModuleType) and is_own(read.value.__name__)):
                read.attribute = attribute
                break
            space = vars(read.value)
            found = space.get(attribute, UNKNOWN)
            read = Read(read.value.__name__, attribute, found, space, read.called or called, written=False)
        yield read


class Use(NamedTuple):
    """One instruction that reads or binds a global name."""

    name: str
    called: bool
    written: bool
    attributes: tuple[tuple[str, bool], ...]
    """The attributes that are read next, each of the one before it, and whether each is called."""


def uses(code: CodeType, *, everything: bool) -> tuple[Use, ...]:
    """How code uses global names. Inner functions that run with it are part of it; ``everything``: all inner ones."""
    found = []
    steps = list(dis.get_instructions(code))
    for index, step in enumerate(steps):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL"):
            called = step.opname == "LOAD_GLOBAL" and bool((step.arg or 0) & 1)
            read = takewhile(lambda after: after.opname in ATTRIBUTE, steps[index + 1 : index + 9])
            attributes = tuple((str(s.argval), s.opname == "LOAD_METHOD" or bool((s.arg or 0) & 1)) for s in read)
            found.append(Use(step.argval, called, step.opname == "STORE_GLOBAL", attributes))
    for inner in code.co_consts:
        if is_a(inner, CodeType) and (everything or inner.co_name.endswith(("comp>", "genexpr>"))):
            found.extend(uses(inner, everything=everything))
    return tuple(found)

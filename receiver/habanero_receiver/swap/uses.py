"""How code uses global names: what it reads, calls and binds, told from its instructions and from what is bound now.

It runs nothing. Inner functions that run with the code (comprehensions) are part of it.
"""

from __future__ import annotations

import dis
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType, ModuleType
from typing import Any, NamedTuple

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
        value = names.get(use.name, UNKNOWN)
        called = use.called or use.name in calls
        if use.attribute and isinstance(value, ModuleType) and is_own(value.__name__):
            space = vars(value)
            called = called or use.attribute_called
            yield Read(value.__name__, use.attribute, space.get(use.attribute, UNKNOWN), space, called, written=False)
        else:
            yield Read(module, use.name, value, names, called, use.written, use.attribute)


class Use(NamedTuple):
    """One instruction that reads or binds a global name."""

    name: str
    called: bool
    written: bool
    attribute: str
    """What is read of it next, if that is an attribute."""
    attribute_called: bool


def uses(code: CodeType, *, everything: bool) -> tuple[Use, ...]:
    """How code uses global names. Inner functions that run with it are part of it; ``everything``: all inner ones."""
    found = []
    steps = list(dis.get_instructions(code))
    for step, after in zip(steps, [*steps[1:], None], strict=True):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL"):
            held = after is not None and after.opname in ("LOAD_ATTR", "LOAD_METHOD")
            method = held and after is not None and (after.opname == "LOAD_METHOD" or bool((after.arg or 0) & 1))
            called = step.opname == "LOAD_GLOBAL" and bool((step.arg or 0) & 1)
            attribute = str(after.argval) if held and after is not None else ""
            found.append(Use(step.argval, called, step.opname == "STORE_GLOBAL", attribute, method))
    for inner in code.co_consts:
        if isinstance(inner, CodeType) and (everything or inner.co_name.endswith(("comp>", "genexpr>"))):
            found.extend(uses(inner, everything=everything))
    return tuple(found)

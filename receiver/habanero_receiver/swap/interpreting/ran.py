"""What code would read, call and change if it ran again: a statement, or a function with what its arguments are.

Pure data, filled by `meaning`, asked for by `runs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from habanero_receiver.swap.statements.scope import UNKNOWN as UNBOUND

from .values import UNKNOWN, Born, Home, Known, Value


@dataclass(frozen=True, slots=True)
class Read:
    """A name of a module that code reads, and where it is bound."""

    home: Home
    value: Any
    names: Mapping[str, Any]

    def now(self) -> Any:
        """What the name is bound to when this is asked."""
        return self.names.get(self.home[1], UNBOUND)


@dataclass(slots=True, eq=False)
class Ran:
    """A statement or function, and what running it does itself. The order of entries is that of the code."""

    code: CodeType
    names: Mapping[str, Any]
    """The globals that it sees."""
    inner: Mapping[str, Any]
    """Of a statement: what plain lookup finds before the globals."""
    home: Home | None
    """Of a function: its module and qualified name."""
    given: dict[str, Value]
    """What its parameters, and the names that it closes over, are bound to."""
    reads: dict[Home, Read] = field(default_factory=dict)
    calls: dict[Ran, None] = field(default_factory=dict)
    attributes: dict[tuple[Home, str], tuple[Any, str]] = field(default_factory=dict)
    """Attributes that are read of objects with a name, by name."""
    looked: dict[tuple[type, str], None] = field(default_factory=dict)
    """What is looked up in which class of the app, by whatever is an instance of it."""
    made: dict[type, None] = field(default_factory=dict)
    """Classes of which an instance is made."""
    passed: list[Known] = field(default_factory=list)
    """Functions and classes of the app that it has to do with."""
    born: list[Born] = field(default_factory=list)
    asked: dict[str, None] = field(default_factory=dict)
    """Attributes that are read of objects of which nothing is known."""
    touched: dict[Home, None] = field(default_factory=dict)
    """The names whose objects it can change."""
    opened: dict[Home, None] = field(default_factory=dict)
    """The names of whose objects it looks at what they hold, or does something with them."""
    written: dict[Home, None] = field(default_factory=dict)
    listed: list[Any] = field(default_factory=list)
    """Modules and classes of the app of which it reads all names."""
    result: Value = UNKNOWN
    done: bool = False

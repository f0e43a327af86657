"""Goes through all that a kept statement runs, however many steps down, and gathers what that reads, calls and fills.

What counts as called: what a statement or a function calls, by name or on objects, and what Python calls for it. Where
the result is a plain value, also what is only passed on (``map(rate, items)``): nothing else can have come of it.
Handlers that are handed to an app object are not called by that.

It does not ask which values change, only which functions and classes do: so each statement is gone through once in a
swap, and `influence` asks what was found as often as another value turns out to change. It runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import FunctionType, MethodType
from typing import Any, NamedTuple

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.interpreting.meaning import plain_function
from habanero_receiver.swap.interpreting.ran import Ran, Read
from habanero_receiver.swap.interpreting.runs import Runs
from habanero_receiver.swap.interpreting.values import Home, Known, Made, Value, lineage_of
from habanero_receiver.swap.kinds import function_of, instance_dict, is_a

from .altered import Altered
from .causes import Cause, called

_MAKING = ("__init__", "__new__", "__post_init__")
_MAX_RAN = 3_000


class Attribute(NamedTuple):
    """An attribute that is read of an object with a name."""

    home: Home
    owner: Any
    name: str


class Listing(NamedTuple):
    """A module or class of the app of which all names are read."""

    owner: Any


Event = Cause | Read | Attribute | Listing


@dataclass(slots=True)
class Walk:
    """What one statement runs: all of it, or what one function of it does itself."""

    events: dict[Any, Event] = field(default_factory=dict)
    """What it calls that changes, and what it reads that may, each once, in the order of the code."""
    filled: dict[Home, None] = field(default_factory=dict)
    written: dict[Home, None] = field(default_factory=dict)
    read: dict[Home, Read] = field(default_factory=dict)
    opened: dict[Home, None] = field(default_factory=dict)
    """The names of whose objects it looks at what they hold."""
    asked: dict[str, None] = field(default_factory=dict)
    """Attributes that are read of objects of which nothing is known."""
    met: dict[type, None] = field(default_factory=dict)
    """The classes that it deals with."""
    calls: list[Ran] = field(default_factory=list)
    """What one function runs in turn."""

    def add(self, other: Walk) -> None:
        """Takes in what another found, but for what it calls."""
        self.events.update(other.events)
        self.filled.update(other.filled)
        self.written.update(other.written)
        self.read.update(other.read)
        self.opened.update(other.opened)
        self.asked.update(other.asked)
        self.met.update(other.met)

    def note(self, home: Home) -> None:
        """Takes in something that is called and changed; what makes instances goes by the name of its class."""
        owner, _, name = home[1].rpartition(".")
        if owner and name in _MAKING:
            home = (home[0], owner)
        self.events.setdefault(home, called(home))


class Walks:
    """All of one swap."""

    def __init__(self, altered: Altered, is_own: Any) -> None:
        self._altered = altered
        self._runs = Runs(is_own, altered.code_of)
        self._found: dict[tuple[Ran, bool], Walk] = {}
        self._single: dict[tuple[Ran, bool], Walk] = {}
        self._answer: dict[tuple[type, str], tuple[Home | None, Ran | None]] = {}
        self._born: dict[Home, tuple[dict[Home, Read], dict[str, Any]]] = {}

    def note_born(self, home: Home, living: Any, reads: Iterable[Read]) -> None:
        """Takes in what defaults of a ``living`` function, or of the fields of a class, read that may change."""
        fresh = {read.home: read for read in reads}
        if fresh and self._born.get(home, ({}, {}))[0] != fresh:
            self._born[home] = (fresh, defaults_of(living))
            self._found.clear()
            self._single.clear()

    def statement(self, unit: Unit, namespace: Mapping[str, Any], inner: Mapping[str, Any], *, plain: bool) -> Walk:
        """Of a statement, ``plain`` if all that it binds is; ``inner`` are the names of the class that it is in."""
        kinds = {type(value) for name in unit.names if (value := inner.get(name, namespace.get(name))) is not None}
        return self._walk(self._runs.statement(unit.code, namespace, inner), kinds, plain=plain)

    def results(self, function: FunctionType) -> Walk:
        """Of all calls of a function that does not change."""
        return self._walk(self._runs.function(function), (), plain=True)

    def _walk(self, first: Ran, kinds: Iterable[type], *, plain: bool) -> Walk:
        """Goes through all that one runs, and through methods that it asks of classes it deals with."""
        if (first, plain) in self._found:
            return self._found[first, plain]
        found = self._found[first, plain] = Walk(met=dict.fromkeys(kinds))
        waiting, seen = [first], {first}
        answered: set[tuple[type, str]] = set()
        while waiting and len(seen) < _MAX_RAN:
            single = self._of(waiting.pop(), plain=plain)
            found.add(single)
            more = single.calls
            if not waiting:
                asked = [(c, n) for c in found.met for n in found.asked if (c, n) not in answered]
                more = [*more, *self._answers(found, asked)]
                answered.update(asked)
            fresh = [item for item in dict.fromkeys(more) if item not in seen]
            seen.update(fresh)
            waiting.extend(reversed(fresh))
        return found

    def _of(self, ran: Ran, *, plain: bool) -> Walk:
        """What one does itself. Of what changed, that is all that matters of it: what it calls does not."""
        if (ran, plain) in self._single:
            return self._single[ran, plain]
        self._runs.look(ran)
        found = self._single[ran, plain] = Walk()
        altered = self._altered
        if ran.home is not None and (
            ran.home in altered.code
            or (plain and ran.home in altered.making)
            or (bool(altered.lambdas) and (ran.home[0], ran.code) in altered.lambdas)
        ):
            found.note(ran.home)
            found.written = {**ran.written, **altered.written_by(ran.home)}
            found.filled = found.written
            return found
        found.events = dict(_events_of(ran))
        if ran.home is not None:
            found.events.update(self._defaults_of(ran.home, ran.given))
        for cls in ran.made:
            for above in lineage_of(cls):
                found.events.update(self._defaults_of((above.__module__, above.__qualname__)))
                if (above.__module__, above.__qualname__) in altered.code:
                    found.note((above.__module__, above.__qualname__))
        for cls, name in ran.looked:
            if (cls.__module__, cls.__qualname__, name) in altered.members:
                found.note((cls.__module__, f"{cls.__qualname__}.{name}"))
        found.events.update((("listed", id(owner)), Listing(owner)) for owner in ran.listed)
        found.read, found.opened, found.asked, found.written = ran.reads, ran.opened, ran.asked, ran.written
        found.filled = {**ran.touched, **ran.written}
        found.met = dict.fromkeys(_dealt_with(ran))
        found.calls = [*ran.calls, *(self._passed_on(ran) if plain else ())]
        return found

    def _defaults_of(self, home: Home, given: Mapping[str, Value] | None = None) -> Iterator[tuple[Any, Event]]:
        """What is read for defaults, unless a call gives something else for each of them."""
        reads, defaults = self._born.get(home, ({}, {}))
        if given is None or not defaults or any(_is_left_out(name, value, given) for name, value in defaults.items()):
            yield from ((("read", read.home), read) for read in reads.values())

    def _passed_on(self, ran: Ran) -> Iterator[Ran]:
        yield from map(self._runs.born, ran.born)
        for known in ran.passed:
            inner = unwrapped(known.value)
            if is_a(inner, FunctionType) and self._runs.owns(inner):
                yield self._runs.function(inner)
            elif is_a(inner, type):
                yield from self._answers(Walk(), ((inner, name) for name in _MAKING))

    def _answers(self, found: Walk, asked: Iterable[tuple[type, str]]) -> Iterator[Ran]:
        """What names that were asked of unknown objects lead to, if these are of classes that were met."""
        for cls, name in asked:
            if (cls, name) not in self._answer:
                self._answer[cls, name] = self._method(cls, name)
            home, ran = self._answer[cls, name]
            if home is not None:
                found.note(home)
            if ran is not None:
                yield ran

    def _method(self, cls: type, name: str) -> tuple[Home | None, Ran | None]:
        """What an instance of a class has by that name: the class that gains or loses it, and what it runs."""
        home: Home | None = None
        for above in lineage_of(cls):
            if not self._runs.owns(above):
                continue
            if (above.__module__, above.__qualname__, name) in self._altered.members:
                home = (above.__module__, f"{above.__qualname__}.{name}")
            if name not in vars(above):
                continue
            function = plain_function(vars(above)[name])
            if function is None or not self._runs.owns(function) or not function.__code__.co_argcount:
                break
            return home, self._runs.function(function, {function.__code__.co_varnames[0]: Made(cls)})
        return home, None


def _events_of(ran: Ran) -> Iterator[tuple[Any, Event]]:
    """What one reads of values that may change."""
    calls = {call.home for call in ran.calls}
    for home, read in ran.reads.items():
        if not callable(read.value) or (is_a(read.value, FunctionType) and _origin(read.value) in calls):
            yield ("read", home), read
    for (home, name), (value, _) in ran.attributes.items():
        yield ("attribute", home, name, id(value)), Attribute(home, value, name)


def defaults_of(value: Any) -> dict[str, Any]:
    """The defaults of a function, by the names of its parameters; none of what is no function."""
    function = unwrapped(function_of(value))
    if not is_a(function, FunctionType):
        return {}
    names, held = function.__code__.co_varnames[: function.__code__.co_argcount], function.__defaults__ or ()
    return {**dict(zip(names[len(names) - len(held) :], held, strict=True)), **(function.__kwdefaults__ or {})}


def _is_left_out(name: str, default: Any, given: Mapping[str, Value]) -> bool:
    value = given.get(name)
    return value is None or (isinstance(value, Known) and value.value is default)


def _origin(function: FunctionType) -> Home:
    """Where a function was made."""
    return (function.__module__ or "", function.__qualname__)


def _dealt_with(ran: Ran) -> Iterator[type]:
    """The classes that code makes instances of, names, or has instances of by name."""
    yield from ran.made
    for known in ran.passed:
        if is_a(known.value, type):
            yield known.value
    for read in ran.reads.values():
        yield type(read.value)


def unwrapped(value: Any) -> Any:
    """The function that a wrapper was put around, as `functools.wraps` notes it, or that a partial or method calls."""
    for _ in range(10):
        if is_a(value, partial):
            inner: Any = value.func
        elif is_a(value, MethodType):
            inner = value.__func__
        else:
            inner = (instance_dict(value) or {}).get("__wrapped__") if callable(value) else None
        if inner is None:
            break
        value = inner
    return value

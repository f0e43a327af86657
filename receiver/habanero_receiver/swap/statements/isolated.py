"""Runs statements of the app beside the living process, to see what they make, where no one can notice.

A statement qualifies if it only makes and fills containers: what it calls is named in its unit, and must be a type or
function of the standard library that does nothing else, or a method of plain values and containers. It fills only what
was made here, and reads the rest; nothing that is live is written to, called or used up.

As everywhere in a swap, to look at attributes and to compare counts as reading, though a class can give it a meaning.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from types import CodeType, ModuleType
from typing import Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.containers.merge import CONTAINERS
from habanero_receiver.swap.functions.moves import is_plain
from habanero_receiver.swap.kinds import home_of, is_a

from .scope import UNKNOWN, Scope

FILLING = frozenset({
    "append", "appendleft", "extend", "extendleft", "insert", "add", "update", "setdefault", "remove", "discard", "pop",
    "popitem", "popleft", "clear", "sort", "reverse", "rotate", "difference_update", "intersection_update",
    "symmetric_difference_update", "move_to_end", "__setitem__", "__delitem__",
})  # fmt: skip
"""The methods of containers that change them."""
_ADDING = frozenset({"append", "appendleft", "extend", "extendleft", "insert", "add", "update", "setdefault"})
_READING = frozenset({
    "keys", "values", "items", "get", "copy", "index", "count", "union", "intersection", "difference",
    "symmetric_difference", "issubset", "issuperset", "isdisjoint", "fromkeys", "upper", "lower", "strip", "lstrip",
    "rstrip", "split", "rsplit", "splitlines", "join", "format", "replace", "startswith", "endswith", "title",
    "capitalize", "casefold", "swapcase", "encode", "decode", "partition", "rpartition", "removeprefix", "removesuffix",
    "zfill", "ljust", "rjust", "center", "isdigit", "isalpha", "isidentifier", "isupper", "islower", "find", "rfind",
    "bit_length", "hex",
})  # fmt: skip
"""Methods of plain values and containers that change nothing."""
_FUNCTIONS = frozenset(map(id, (
    list, dict, set, tuple, frozenset, str, int, float, bool, bytes, complex, range, enumerate, zip, reversed, sorted,
    min, max, sum, len, any, all, abs, round, divmod, pow, ord, chr, repr, isinstance, issubclass, callable,
)))  # fmt: skip
_LIBRARIES = frozenset({"collections", "itertools", "operator", "math", "re", "string", "decimal", "fractions"})
"""Libraries whose types and functions only compute."""


def filled_by(unit: Unit) -> set[str]:
    """The names whose objects a unit fills, by its text."""
    names = {root for root, _ in unit.stores} | {root for root, _, method in unit.asks if method in FILLING}
    return names - {""}


class UnseenError(Exception):
    """A statement cannot be run without being seen. The argument says why."""


class Isolated(dict[str, Any]):
    """The names of statements that run in isolation; ``hidden`` ones are not looked up in the living process."""

    def __init__(self, scope: Scope, hidden: Iterable[str], start: dict[str, Any]) -> None:
        super().__init__(start)
        self.scope, self.hidden = scope, frozenset(hidden)

    def __missing__(self, name: str) -> Any:
        if name in self.hidden:
            value = vars(builtins).get(name, UNKNOWN)
            if value is UNKNOWN:
                raise NameError(f"name {name!r} is not defined", name=name)
            return value
        if self.scope.owner is not None and name in vars(self.scope.owner):
            return vars(self.scope.owner)[name]
        raise KeyError(name)  # the interpreter looks in the module

    def find(self, name: str) -> Any:
        """What a statement reads by this name; UNKNOWN if nothing."""
        try:
            return self[name]
        except NameError:
            return UNKNOWN
        except KeyError:
            return self.scope.lookup(name)


def run_isolated(
    scope: Scope, units: Sequence[Unit], hidden: Iterable[str], start: dict[str, Any], *, adding: Iterable[str] = ()
) -> dict[str, Any]:
    """Runs units one after the other and returns what they bind, ``start`` being bound beforehand.

    Raises UnseenError if one of them could be seen, or could not be told apart from what the process did since. The
    names ``adding`` stand for containers whose content is not known: they can only be added to.
    """
    names = Isolated(scope, hidden, dict(start))
    live: set[int] = set()
    for unit in units:
        _check(unit, names, frozenset(adding))
        live |= _parts(names.find(name) for name in unit.reads if name not in names)
        deep = {root for root, within, method in unit.asks if within and method in FILLING}
        deep |= {root for root, within in unit.stores if within}
        _keep_apart(unit, live, _parts(names[root] for root in deep))
        for name in {*unit.names} - names.hidden if unit.deletes else ():
            names.setdefault(name, None)  # what others made: a function, an import
        scope.run(unit.code, names)
        _keep_apart(unit, live, {id(names[name]) for name in unit.names if name in names})
    return dict(names)


def _keep_apart(unit: Unit, live: set[int], filled: set[int]) -> None:
    if not live.isdisjoint(filled):
        raise UnseenError(f"{unit.label}: it shares a container with the living process")


def _check(unit: Unit, names: Isolated, adding: frozenset[str]) -> None:
    if not unit.closed:
        raise UnseenError(f"{unit.label}: it does more than making and filling containers")
    for name in unit.reads:
        if hasattr(type(names.find(name)), "__next__"):
            raise UnseenError(f"{unit.label}: it uses {name} up")
    if _nested_names(unit.code).intersection(names):
        raise UnseenError(f"{unit.label}: a function inside it reads what it fills")
    for root, _ in unit.stores:
        if root not in names:
            raise UnseenError(f"{unit.label}: it changes something that lives")
    for root, deep, method in unit.asks:
        if not _may_ask(unit, names, root, method, deep=deep) or (
            root in adding and method not in _ADDING and method not in ("keys", "get")
        ):
            raise UnseenError(f"{unit.label}: what it calls could be noticed")


def _may_ask(unit: Unit, names: Isolated, root: str, method: str, *, deep: bool) -> bool:
    if not root:
        return method in _READING and all(_is_known(names.find(name)) for name in unit.reads)
    value = names.find(root)
    if not method:
        return id(value) in _FUNCTIONS or _of_library(names.scope, value)
    if is_a(value, ModuleType):
        return not deep and value.__name__ in _LIBRARIES and not names.scope.is_own(value.__name__)
    if id(value) in _FUNCTIONS or _of_library(names.scope, value):
        return method in _READING  # of what it made
    if root in names:
        return (is_plain(value) or type(value) in CONTAINERS) and method in _READING | FILLING
    return (is_plain(value) or (type(value) in CONTAINERS and not deep)) and method in _READING


def _of_library(scope: Scope, value: Any) -> bool:
    home = home_of(value)
    return home in _LIBRARIES and callable(value) and scope.is_outside(value)


def _is_known(value: Any) -> bool:
    """Whether methods of anything inside the value are those of plain values and containers."""
    if is_plain(value) or id(value) in _FUNCTIONS or value is UNKNOWN:
        return True
    if type(value) in (*CONTAINERS, tuple):
        return all(map(_is_known, [*value, *value.values()] if is_a(value, dict) else list(value)))
    return False


def _parts(values: Iterable[Any]) -> set[int]:
    """The identities of the containers among ``values`` and inside of these."""
    found: set[int] = set()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if type(value) is tuple or (type(value) in CONTAINERS and id(value) not in found):
            found.update([] if type(value) is tuple else [id(value)])
            waiting.extend([*value.values()] if is_a(value, dict) else value)
    return found


def _nested_names(code: CodeType) -> set[str]:
    found: set[str] = set()
    for inner in code.co_consts:
        if is_a(inner, CodeType):
            found.update(inner.co_names)
            found |= _nested_names(inner)
    return found

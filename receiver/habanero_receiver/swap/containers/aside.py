"""Puts something of the same use where a registry holds the very object whose decorators are about to run again.

A decorator that writes the same object under the same key again leaves no trace, and one that looks first (``if f not
in ALL``) does not even write: what it wants now could not be told from what it had wanted. With another object in its
old places both can be told. Who calls that meanwhile runs what it would have run.

It is for places in which an object stands by itself: what holds it otherwise is made anew each time.
"""

from __future__ import annotations

import functools
from collections import OrderedDict, deque
from collections.abc import Iterable
from types import FunctionType
from typing import Any

from habanero_receiver.swap.functions.standin import copy_of
from habanero_receiver.swap.kinds import is_a

Substitutes = list[tuple[Any, Any]]
"""What is held, with what to hold instead of it."""


def substitutes(items: Iterable[Any]) -> Substitutes:
    """What to hold instead of each function and class meanwhile; of anything else another one is made each time."""
    found: Substitutes = []
    for item in {id(item): item for item in items}.values():
        if is_a(item, FunctionType):
            found.append((item, copy_of(item)))
        elif is_a(item, type):
            found.append((item, functools.partial(item)))
    return found


def substituted(content: Any, pairs: Substitutes) -> Any:
    """What a container would have held with the substitutes in it; ``content`` itself where there are none."""
    instead = {id(old): new for old, new in pairs}
    if not instead:
        return content
    if is_a(content, dict):
        return {instead.get(id(key), key): instead.get(id(value), value) for key, value in dict.items(content)}
    if is_a(content, (list, deque, set)):
        return type(content)(instead.get(id(item), item) for item in content)
    return content


def can_hold(container: object) -> bool:
    """Whether a substitute can be put into it: not into one that has a say, nor where names mean what is in it."""
    if is_a(container, dict):
        plain = type(container).__setitem__ in (dict.__setitem__, OrderedDict.__setitem__)
        return plain and not dict.__contains__(container, "__builtins__")
    return type(container) in (list, deque, set)

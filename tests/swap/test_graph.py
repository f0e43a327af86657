"""The graph of objects: what leads to what, and what has changed since some moment."""

from __future__ import annotations

import functools
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from habanero_receiver.swap.finding.graph import LARGE, Graph
from habanero_receiver.swap.snapshot import restore


class Plain:
    def __init__(self) -> None:
        self.items: list[Any] = []


class Slotted:
    __slots__ = ("items", "other")

    def __init__(self) -> None:
        self.items: list[Any] = []


class Both(list[Any]):
    """A list with attributes of its own."""

    name = "both"


class Entered:
    """A class that the graph is told to enter."""

    held: Any = None


@dataclass(slots=True, frozen=True)
class Record:
    call: Any


def closure(value: Any) -> Callable[..., Any]:
    def inner(new: Any = None) -> Any:
        nonlocal value
        value = new if new is not None else value
        return value

    return inner


def target() -> None:
    """What is registered."""


def _set_cell(f: Callable[..., Any]) -> None:
    f([2])


CHANGES: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "a list grows": (lambda: [1], lambda x: x.append(2)),
    "a list has another item in a place": (lambda: [[1]], lambda x: x.__setitem__(0, [1])),
    "a deque turns": (lambda: deque(["a", "b"]), lambda x: x.rotate()),
    "a set grows": (lambda: {1}, lambda x: x.add(2)),
    "a mapping has another value": (lambda: {"a": [1]}, lambda x: x.__setitem__("a", [1])),
    "a mapping has its keys in another order": (lambda: {"a": 1, "b": 2}, lambda x: x.__setitem__("a", x.pop("a"))),
    "an ordered mapping turns": (lambda: OrderedDict(a=1, b=2), lambda x: x.move_to_end("a")),
    "a mapping makes a value": (lambda: defaultdict(list), lambda x: x["new"]),
    "an attribute is set": (Plain, lambda x: setattr(x, "items", [])),
    "an attribute comes": (Plain, lambda x: setattr(x, "more", 1)),
    "an attribute goes": (Plain, lambda x: delattr(x, "items")),
    "a slot is set": (Slotted, lambda x: setattr(x, "items", [])),
    "a slot is filled": (Slotted, lambda x: setattr(x, "other", [])),
    "a list's own attribute is set": (Both, lambda x: setattr(x, "name", "other")),
    "an attribute of a class is set": (lambda: Entered, lambda x: setattr(x, "held", [])),
    "a closure's variable is set": (lambda: closure([1]), _set_cell),
    "an attribute of a function is set": (lambda: closure([1]), lambda x: setattr(x, "tag", 1)),
    "a default of a function is set": (lambda: closure([1]), lambda x: setattr(x, "__defaults__", ([3],))),
    "an argument of a partial is set": (lambda: functools.partial(target, a=1), lambda x: x.keywords.update(a=2)),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_has_changed_is_found(case: str) -> None:
    """Whatever kind of object it is, near or far; and only what did change is."""
    made, change = CHANGES[case]
    item, other = made(), [1]
    graph = Graph(frozenset({__name__}))
    region = graph.region([{"deep": [(item,)], "other": other}])
    mark = graph.mark()
    assert graph.since(mark) == {}
    assert id(item) in region
    change(item)
    changed = graph.since(mark)
    assert changed
    assert id(other) not in changed
    assert graph.since(graph.mark()) == {}


def test_what_it_held_is_given_back() -> None:
    """All that was known and changed since; what is no part of the region stays as it is now."""
    plain, numbers, table, apart = Plain(), [1], {"a": 1, "b": 2}, [1]
    graph = Graph(frozenset())
    region = graph.region([[plain, numbers, table]])
    graph.region([apart])
    mark = graph.mark()
    plain.items.append(1)
    plain.more = 2  # type: ignore[attr-defined]
    numbers.clear()
    table["a"] = table.pop("a")
    graph.look()
    numbers.append(7)
    apart.append(2)
    graph.restore(mark, [region])
    assert (plain.__dict__, numbers, list(table), apart) == ({"items": []}, [1], ["a", "b"], [1, 2])


def test_what_comes_belongs_to_the_regions_of_what_leads_to_it() -> None:
    """It is watched from then on, and known to be new."""
    one: dict[str, Any] = {}
    two: list[Any] = []
    graph = Graph(frozenset())
    first, second = graph.region([one]), graph.region([two])
    mark = graph.mark()
    fresh: list[Any] = []
    one["new"] = {"deep": fresh}
    graph.look()
    assert id(fresh) in first
    assert id(fresh) not in second
    assert graph.objects([id(fresh)], [first], mark) == []
    later = graph.mark()
    fresh.append(1)
    assert graph.objects(graph.since(later), [first], later) == [(id(fresh), fresh)]


def test_who_may_hold_an_object_is_told_by_steps() -> None:
    """Through records with and without slots, closures and weak references, and no further than asked."""
    wrapped, weak, far = closure(target), weakref.ref(target), [[[[target]]]]
    record, reached = Record(target), {"x": Plain()}
    reached["x"].items.append(target)
    graph = Graph(frozenset())
    region = graph.region([[record, wrapped, weak, far, reached]])
    near = graph.leading_to([target], 3)
    assert {id(record), id(wrapped), id(weak), id(reached), id(target)} <= near
    assert id(far) not in near
    assert id(record) not in graph.leading_to([target], 0)
    mark = graph.mark()
    holders = [item for _, item in graph.objects(graph.holders({id(target)}), [region], mark)]
    assert any(item is record for item in holders)
    assert id(reached) not in graph.leading_to([target], 3, beyond={id(reached["x"])})


def test_slots_are_walked_of_the_apps_own_objects_alone() -> None:
    """What a library keeps in slots is no registry, and out of sight; who speaks of it is known all the same."""
    record = Record([target])
    for own, walked in ((frozenset({__name__}), True), (frozenset[str](), False)):
        graph = Graph(own)
        assert (id(record.call) in graph.region([record])) is walked
        assert id(record) in graph.leading_to([target], 2)


def test_lasting_objects_are_found_again_after_many_changes() -> None:
    """What was put in, taken out and put in again leads where it should."""
    table: dict[str, Any] = {}
    graph = Graph(frozenset({__name__}))
    region = graph.region([table])
    for number in range(5):
        table[f"k{number}"] = Record(target)
        graph.look()
        del table[f"k{number}"]
        graph.look()
    assert len(region) == 7  # the table, the function, and five records that were there
    table["last"] = [target]
    graph.look()
    assert id(table) in graph.leading_to([target], 2)


def test_large_containers_are_copied_and_not_gone_through() -> None:
    """A cache with very many entries is given back as it was; what it holds leads nowhere, and no look goes over it."""
    cache: dict[int, list[int]] = {number: [number] for number in range(LARGE + 1)}
    small = [1]
    graph = Graph(frozenset())
    region = graph.region([{"cache": cache, "small": small}])
    mark, copies = graph.mark(), graph.large(region)
    assert len(region) == 3
    cache[0] = [7]
    cache[-1] = small
    assert graph.since(mark) == {}
    restore(copies)
    assert len(cache) == LARGE + 1
    assert cache[0] == [0]

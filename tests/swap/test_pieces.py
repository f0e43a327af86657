"""The engine's parts by themselves: comparing builds, the undo log, snapshots, closures, registries, the report."""

from __future__ import annotations

import functools
import gc
import json
import sys
import threading
import weakref
from collections import deque
from types import CodeType, FunctionType
from typing import Any

import pytest

from habanero_receiver.swap import Refusal, SwapReport
from habanero_receiver.swap.adapters import Adapter, in_use, register
from habanero_receiver.swap.building.compiler import build
from habanero_receiver.swap.building.units import Unit, decode
from habanero_receiver.swap.containers.entries import holds
from habanero_receiver.swap.containers.registry import Registrations
from habanero_receiver.swap.diff import docstring, match_units, pair_code, same_behaviour, same_code
from habanero_receiver.swap.finding.graph import Graph
from habanero_receiver.swap.finding.heap import instances_of, search_all, search_for, youngest_functions
from habanero_receiver.swap.finding.live import FunctionIndex, reachable
from habanero_receiver.swap.finding.reach import roots_of
from habanero_receiver.swap.functions import fields
from habanero_receiver.swap.functions.moves import ClosureError, apply, is_plain, patch
from habanero_receiver.swap.snapshot import Snapshot
from habanero_receiver.swap.undo import UndoLog, reorder


def units(text: str) -> tuple[Unit, ...]:
    return decode(build(text.encode(), "shop", "shop.py", False).units, "/srv/shop.py").units


def pairs(old: str, new: str) -> list[tuple[str, bool, bool]]:
    found = pair_code(units(old)[0].code, units(new)[0].code)
    return [(p.new.co_qualname, p.changed, p.nested) for p in found]


def function(text: str, name: str = "f") -> FunctionType:
    names: dict[str, Any] = {}
    exec(compile(text, "/srv/shop.py", "exec"), names)
    found = names[name]
    assert isinstance(found, FunctionType)
    return found


# comparing


def test_units_are_matched_by_what_they_are() -> None:
    """An equal unit is found wherever it moved; a changed one by its name; what is left is new or gone."""
    old = units("A = 1\nB = 2\ndef f(): ...\nGONE = 1\n")
    new = units("def f(x): ...\nB = 2\nA = 9\nNEW = 1\n")
    matches = match_units(old, new)
    told = [(m.old and m.old.key, m.new and m.new.key, m.same) for m in matches]
    assert told == [
        ("def f", "def f", False),
        ("B =", "B =", True),
        ("A =", "A =", False),
        (None, "NEW =", False),
        ("GONE =", None, False),
    ]


def test_repeated_names_are_told_apart() -> None:
    """Of two definitions of one name, the edited one is matched with its own predecessor."""
    old = units("def f(): return 1\nX = f()\ndef f(a): return 2\n")
    new = units("def f(): return 3\nX = f()\ndef f(a): return 2\n")
    assert [m.same for m in match_units(old, new)] == [True, True, True]


def test_functions_inside_a_unit_are_paired_by_name_and_likeness() -> None:
    """Nested functions are paired with those of their name; of several lambdas, the equal ones with each other."""
    old = "def f():\n    def g():\n        return 1\n    return g\n"
    assert pairs(old, old.replace("1", "2")) == [("f", True, False), ("f.<locals>.g", True, True)]
    old, new = "X = (lambda: 1, lambda: 2)\n", "X = (lambda: 3, lambda: 2)\n"
    first, second = pair_code(units(old)[0].code, units(new)[0].code)
    changed = {p.new.co_consts: p.changed for p in (first, second)}
    assert sorted(changed.values()) == [False, True]


def test_a_shifted_function_does_the_same_at_another_place() -> None:
    """A line shift is told from a change of behaviour, and both from nothing."""
    one = function("def f():\n    return 1\n").__code__
    shifted = function("\ndef f():\n    return 1\n").__code__
    other = function("def f():\n    return True\n").__code__
    assert same_behaviour(one, shifted)
    assert not same_code(one, shifted)
    assert not same_behaviour(one, other)
    assert same_code(one, one)


def test_the_docstring_a_function_is_born_with() -> None:
    """It is read from the code as the interpreter does, closures included."""
    assert docstring(function("def f():\n    'Doc.'\n").__code__) == "Doc."
    assert docstring(function("def f():\n    return 'no doc'\n").__code__) is None


# undoing


def test_the_log_undoes_newest_first_and_goes_on_over_errors() -> None:
    """Every inverse is tried; the first error is raised at the end."""
    log, done = UndoLog(), list[object]()
    mapping: dict[str, Any] = {"a": 1}
    log.set_item(mapping, "a", 2)
    log.set_item(mapping, "b", 3)
    log.note((int, "no number"))
    log.delete_item(mapping, "a")
    log.note((done.append, "last"))
    assert mapping == {"b": 3}
    with pytest.raises(ValueError, match="no number"):
        log.undo()
    assert (mapping, done) == ({"a": 1}, ["last"])
    log.undo()


def test_attributes_of_objects_and_classes() -> None:
    """Inherited attributes are shadowed and shown again; a metaclass has no say."""

    class Meta(type):
        def __setattr__(cls, name: str, value: object) -> None:
            raise AssertionError("not asked")

    class A(metaclass=Meta):
        x = 1

    class B(A):
        pass

    log, b = UndoLog(), B()
    log.set_class_attribute(B, "x", 2)
    log.set_attribute(b, "x", 3)
    log.delete_class_attribute(B, "nothing")
    assert (B.x, b.x) == (2, 3)
    log.undo()
    assert "x" not in vars(B)
    assert b.x == 1


def test_attributes_of_functions_are_put_back() -> None:
    """Those that Python keeps beside a function's dictionary, too."""

    def function(a: int = 1) -> int:
        """Says it."""
        return a

    log, names = UndoLog(), ("__annotations__", "__defaults__", "__kwdefaults__", "__doc__", "mark")
    before = [getattr(function, name, None) for name in names]
    for name, value in zip(names, ({"a": str}, (2,), {}, "Says more.", 3), strict=True):
        log.set_attribute(function, name, value)
    assert (function.__annotations__, function(), function.__doc__) == ({"a": str}, 2, "Says more.")
    log.undo()
    assert [getattr(function, name, None) for name in names] == before
    assert not hasattr(function, "mark")


def test_a_snapshot_restores_containers_in_place_and_order() -> None:
    """Lists, dictionaries, sets, deques, instances and own classes get their content back, as the same objects."""

    class Own:
        x = 1

    own = Own()
    own.items = [1]  # type: ignore[attr-defined]
    root: dict[str, Any] = {"l": [1, [2]], "d": {"a": 1, "b": 2}, "s": {1}, "q": deque([1]), "o": own, "c": Own}
    snapshot = Snapshot([root], frozenset({__name__}))
    inner, mapping = root["l"][1], root["d"]
    root["l"].clear()
    inner.append(3)
    mapping.pop("a")
    mapping["c"] = 3
    root["s"].add(2)
    root["q"].append(2)
    own.items.append(5)  # type: ignore[attr-defined]
    own.more = 1  # type: ignore[attr-defined]
    Own.x = 5
    Own.y = 6  # type: ignore[attr-defined]
    snapshot.restore()
    assert root["l"] == [1, [2]]
    assert root["l"][1] is inner
    assert list(mapping.items()) == [("a", 1), ("b", 2)]
    assert (root["s"], list(root["q"]), vars(own)) == ({1}, [1], {"items": [1]})
    assert (Own.x, hasattr(Own, "y")) == (1, False)


def test_keys_are_reordered_where_they_are_not_in_order() -> None:
    """Keys that the order does not name come last."""
    mapping = {"a": 1, "b": 2, "c": 3}
    reorder(mapping, ["c", "x", "a"])
    assert list(mapping) == ["c", "a", "b"]


# functions


def test_closures_are_exchanged_by_name() -> None:
    """Code with fewer or other variables gets the cells it names; one it lacks is told; nothing leaks."""
    text = "def make(a, b):\n    def f():\n        return {}\n    return f\n"
    living = function(text.format("(a, b)"), "make")(1, 2)
    less = function(text.format("b"), "make").__code__.co_consts
    code = next(c for c in less if isinstance(c, CodeType))
    log = UndoLog()
    apply(patch(living, code), log)
    assert living() == 2
    log.undo()
    assert living() == (1, 2)
    apply(patch(living, code), UndoLog())
    more = next(c for c in function(text.format("(a, b)"), "make").__code__.co_consts if isinstance(c, CodeType))
    with pytest.raises(ClosureError, match="reads a of the function around it"):
        patch(living, more)


def test_exchanging_closures_keeps_reference_counts() -> None:
    """After many exchanges cells are freed with their function, and none too early."""
    assert fields.available

    class Held:
        pass

    def make(value: object) -> FunctionType:
        def f() -> object:
            return value

        assert isinstance(f, FunctionType)
        return f

    one, two = make(Held()), make(Held())
    alive = [weakref.ref(one()), weakref.ref(two())]
    for _ in range(1000):
        log = UndoLog()
        apply(fields.exchange(one, two.__code__, two.__closure__), log)
        log.undo()
    apply(fields.exchange(one, two.__code__, two.__closure__), UndoLog())
    del log
    gc.collect()
    assert one() is two()
    assert [ref() is None for ref in alive] == [True, False]
    del one, two
    gc.collect()
    assert alive[1]() is None


def test_an_exchange_is_undone_from_any_of_its_steps() -> None:
    """Broken off after any number of its steps, the function is what it was, and nothing is leaked or freed early."""

    class Held:
        pass

    living = function("def make(a, b):\n    def f():\n        return (a, b)\n    return f\n", "make")(Held(), Held())
    text = "def make(a):\n    def f():\n        yield a\n    return f\n"
    other = function(text, "make")(1)
    alive = [weakref.ref(held) for held in living()]
    pairs = fields.exchange(living, other.__code__, other.__closure__)
    counts = [sys.getrefcount(o) for o in (living.__code__, living.__closure__, other.__code__, other.__closure__)]
    for many in range(len(pairs) + 1):
        log = UndoLog()
        with pytest.raises(OSError, match="cannot"):
            apply([*pairs[:many], ((_fail,), (len, ()))], log)
        log.undo()
        assert [type(held) for held in living()] == [Held, Held]
        after = [sys.getrefcount(o) for o in (living.__code__, living.__closure__, other.__code__, other.__closure__)]
        assert after == counts
    del living, pairs, log
    gc.collect()
    assert [ref() for ref in alive] == [None, None]


def _fail() -> None:
    raise OSError("cannot")


@pytest.mark.parametrize("value", [1, "a", b"", 1.5, None, True, (1, ("a",)), frozenset({1}), range(3), ...])
def test_plain_values(value: object) -> None:
    """Values that nothing can change are plain."""
    assert is_plain(value)


@pytest.mark.parametrize("value", [[], {}, (1, []), object(), len, int, bytearray()])
def test_values_that_are_not_plain(value: object) -> None:
    """Containers, objects and callables are alive."""
    assert not is_plain(value)


def test_functions_are_found_through_what_wraps_them() -> None:
    """Structure leads through classes, closures, partials, properties, wrappers and containers."""
    f = function("def f():\n    return 1\n")

    def wrap(inner: Any) -> Any:
        @functools.wraps(inner)
        def wrapper() -> Any:
            return inner()

        return wrapper

    class Own:
        method = f
        static = staticmethod(f)
        prop = property(f)

    for root in ([{"a": (f,)}], functools.partial(wrap(f)), Own, Own().method, functools.lru_cache(f)):
        assert any(item is f for item in reachable([root], frozenset({__name__}))), root


def test_a_function_is_known_by_its_code_wherever_it_was_compiled() -> None:
    """Equal code at the same place of a file is the same function's; another file's is not."""
    text = "def f():\n    return 1\n"
    living, again = function(text), function(text).__code__
    index = FunctionIndex("/srv/shop.py")
    index.add(living)
    assert index.of(again) == [living]
    other = FunctionIndex("/srv/other.py")
    other.add(living)
    assert other.of(again) == []
    search_all([found := FunctionIndex("/srv/shop.py")])
    assert living in found.of(again)
    search_for([living.__code__], [exact := FunctionIndex("/srv/shop.py")])
    assert exact.of(again) == [living]
    assert living in youngest_functions(frozenset({"/srv/shop.py"}))


def test_instances_are_found_wherever_they_are() -> None:
    """Instances of a class and of its subclasses, hidden in containers, are found; those of others are not."""

    class A:
        pass

    class B(A):
        pass

    held = {"deep": [(A(),), {1: B()}]}
    assert {type(i) for i in instances_of([A])} == {A, B}
    assert len(instances_of([B])) == 1
    assert len(held) == 1


@pytest.mark.heavy
def test_searching_the_heap_disturbs_no_thread() -> None:
    """A tuple that another thread is building while the heap is searched comes out as it should."""
    stop = threading.Event()
    wrong: list[BaseException] = []

    def build_tuples() -> None:
        while not stop.is_set():
            try:
                assert len(tuple(str(i) for i in range(500))) == 500
            except BaseException as error:
                wrong.append(error)
                return

    threads = [threading.Thread(target=build_tuples) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        search_all([FunctionIndex("/nowhere.py")])
        youngest_functions(frozenset({"/nowhere.py"}))
        instances_of([FunctionIndex])
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


# registries


def test_entries_take_the_place_of_the_old_ones() -> None:
    """A new entry goes where the old one was, and what is left of the old goes."""

    def f() -> None: ...
    def g() -> None: ...

    routes: list[Any] = [("a", f), ("b", g), ("c", f)]
    table: dict[str, Any] = {"a": f, "b": g}
    registered = Registrations(Graph(frozenset()), [routes, table])
    routes.append(("x", f))
    table["x"] = f
    log = UndoLog()
    assert registered.settle(log, [f], [f]) == []
    assert routes == [("x", f), ("b", g)]
    assert list(table) == ["x", "b"]
    log.undo()
    assert holds(("deep", [("in", f)]), [f])
    assert not holds(("deep", [g]), [f])


def test_what_code_could_change_is_followed_through_the_apps_functions() -> None:
    """Names of the code lead to objects, those of own functions and classes to what these read in turn."""
    names: dict[str, Any] = {"__name__": "shop"}
    exec(
        "A, B, C = [], [], []\ndef inner():\n    A.append(1)\nclass K:\n    def m(self):\n        B.append(1)\n"
        "def outer():\n    inner()\n    return K()\n",
        names,
    )
    found = roots_of(compile("outer()", "x", "exec"), names, lambda name: name == "shop")
    assert any(item is names["A"] for item in found)
    assert any(item is names["B"] for item in found)
    assert not any(item is names["C"] for item in found)


# telling


def test_the_report_is_json() -> None:
    """Modules in order of name, each list in the words of the format."""
    report = SwapReport()
    report.of("shop.b").run.append("X =")
    report.of("shop.a").refused.append(Refusal("class C", 3, "no", "restart"))
    assert report.refusals() == [("shop.a", Refusal("class C", 3, "no", "restart"))]
    told = json.loads(json.dumps(report.to_json()))["modules"]
    assert [m["module"] for m in told] == ["shop.a", "shop.b"]
    plain = {"unit": "class C", "line": 3, "reason": "no", "help": "restart", "traceback": "", "live": ""}
    assert told[0]["refused"] == [plain]
    assert told[1] == {
        "module": "shop.b", "patched": [], "run": ["X ="], "kept": 0, "stale": [], "doubled": [], "removed": [],
        "migrated": [], "refused": [],
    }  # fmt: skip


def test_adapters_are_asked_only_where_their_library_is() -> None:
    """An adapter of a library that is not imported is not asked."""

    class Absent(Adapter):
        library = "a_library_that_nobody_imported"

    class Present(Adapter):
        library = "json"

    absent, present = Absent(), Present()
    register(absent)
    register(present)
    try:
        assert present in in_use()
        assert absent not in in_use()
    finally:
        from habanero_receiver.swap import adapters

        adapters._registered.clear()

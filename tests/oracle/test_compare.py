"""The comparer can fail: every way of spoiling a swapped process is found, and honest kept state is not."""

# ruff: noqa: E501  # what spoils a process is one line each

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from oracle.compare import compare
from oracle.difference import Moment, Verdict
from oracle.judge import Step, judge
from oracle.stale import bindings
from oracle.step import Module, Outcome, Processes, Request, Tree, write_tree
from oracle.unchanged import old_code, unchanged
from oracle.units import Edit

OLD = '''"""Doc."""
import dataclasses, enum, functools
LIMIT = 3
DERIVED = (LIMIT, 1)
HANDLERS = {}
ORDER = []
SEEN = []
COUNT = 0

def on(name):
    def take(function):
        HANDLERS[name] = function
        ORDER.append(function)
        return function
    return take

@on("a")
def a(n=LIMIT, *, k=1) -> int:
    """Says a."""
    return n + k

@on("b")
def b():
    global COUNT
    COUNT += 1
    SEEN.append(COUNT)
    return SEEN

def make(n):
    def inner():
        return n
    return inner

made = make(2)

class Base:
    limit = 1
    def get(self): return self.limit

class Item(Base):
    """An item."""
    __slots__ = ("x",)
    @property
    def size(self): return 1

class Other: pass

@dataclasses.dataclass
class Point:
    x: int = 1
    y: list = dataclasses.field(default_factory=list)

class Color(enum.Enum):
    RED = 1
    BLUE = 2

held = Item()
CACHE = [LIMIT]
@functools.cache
def cached(): return 1
'''
NEW = OLD.replace("LIMIT = 3", "LIMIT = 4").replace("return n + k", "return n + k + 1")
OTHER = "from app.core import LIMIT, a, HANDLERS, held\nplain = [a]\n"
SPOILING_USE = """
times = []
def use(modules):
    times.append(1)
    c = modules['app.core']
    if len(times) == 1:
        c.b(); c.b()
    else:
        {}
"""
SABOTAGE = {
    "a name is missing": "del c.DERIVED",
    "a name is left over": "c.extra = 1",
    "a constant is old": "c.LIMIT = 3",
    "a derived constant is old": "c.DERIVED = (3, 1)",
    "an importer has the old constant": "modules['app.web'].LIMIT = 3",
    "a constant of another type": "c.LIMIT = 4.0",
    "a default is old": "c.a.__defaults__ = (3,)",
    "a keyword default is another": "c.a.__kwdefaults__ = {'k': 2}",
    "an annotation is gone": "c.a.__annotations__ = {}",
    "a docstring is another": "c.a.__doc__ = 'x'",
    "a module's docstring is another": "c.__doc__ = 'x'",
    "a class's docstring is another": "c.Base.__doc__ = 'x'",
    "bytecode is another": "c.a.__code__ = c.a.__code__.replace(co_consts=(None, 2))",
    "a line number is off": "c.a.__code__ = c.a.__code__.replace(co_firstlineno=1)",
    "positions are off": "c.a.__code__ = c.a.__code__.replace(co_linetable=c.b.__code__.co_linetable)",
    "a file name is another": "c.a.__code__ = c.a.__code__.replace(co_filename='x.py')",
    "a function is a second copy": "import types; c.a = types.FunctionType(c.a.__code__, vars(c), 'a', c.a.__defaults__); c.a.__kwdefaults__ = {'k': 1}; c.a.__annotations__ = {'return': int}",
    "a function reads other globals": "import types; f = types.FunctionType(c.cached.__wrapped__.__code__, {}); c.make = types.FunctionType(c.make.__code__, {}, 'make')",
    "a name is bound to another function": "c.a = c.b",
    "a closure has another value": "c.made.__closure__[0].cell_contents = 5",
    "a member is gone": "del c.Base.get",
    "a member is left over": "c.Base.more = 1",
    "a class attribute is another": "c.Base.limit = 2",
    "a property is another": "c.Item.size = property(c.Base.get)",
    "a class has other bases": "c.Item.__bases__ = (type('Mid', (c.Base,), {'__module__': 'app.core', '__slots__': ()}),)",
    "a class is a second copy": "c.Other = type('Other', (), dict(__module__='app.core', __qualname__='Other'))",
    "an object is of a copy of its class": "c.held = type('Item', (c.Base,), {'__module__': 'app.core', '__slots__': ('x',)})()",
    "a subclass is left over": "c.twin = [type('Twin', (c.Base,), {'__module__': 'app.core'})]",
    "slots are others": "c.Item.__slots__ = ()",
    "a dataclass's field is another": "c.Point.__dataclass_fields__['x'].default = 2",
    "a dataclass's field has another order": "f = c.Point.__dataclass_fields__; f['x'] = f.pop('x')",
    "an enum's member is another": "c.Color.RED._value_ = 5",
    "an enum's member is gone": "c.Color._member_names_.pop()",
    "a handler is missing": "del c.HANDLERS['b']",
    "a handler is doubled": "c.ORDER.append(c.a)",
    "a handler is missing from a list": "c.ORDER.pop()",
    "handlers are in another order": "c.ORDER.reverse()",
    "a handler is another": "c.HANDLERS['a'] = c.b",
    "a registry is another object": "modules['app.web'].HANDLERS = dict(c.HANDLERS)",
    "two names share an object": "c.ORDER = c.SEEN = [c.a, c.b]",
    "used state is lost": "c.COUNT = 0",
    "a used list is emptied": "c.SEEN.clear()",
    "a used list has more": "c.SEEN.append(9)",
    "an unused object's content is another": "c.plain = None; modules['app.web'].plain.append(1)",
    "an instance has another attribute": "c.held.x = 1",
    "the cache's function is another": "c.cached = c.a",
    "a module is gone": "import sys; del sys.modules['app.web']",
    "a module is left over": "import sys, types; sys.modules['app.more'] = types.ModuleType('app.more')",
    "another source is shown": "import linecache; linecache.cache[c.__file__] = (1, None, ['x\\n'], c.__file__)",
    "a module of a package is another": "import types; modules['app'].core = types.ModuleType('app.core')",
}
AS_OLD = ("a constant is old", "a derived constant is old", "an importer has the old constant", "a default is old",
          "used state is lost", "a used list is emptied")  # fmt: skip


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    with Processes() as running:
        yield running


def tree(core: str) -> Tree:
    sources = {"app": (True, "app/__init__.py", ""), "app.core": (False, "app/core.py", core),
               "app.web": (False, "app/web.py", OTHER)}  # fmt: skip
    return {name: Module(package, path, text.encode()) for name, (package, path, text) in sources.items()}


@pytest.fixture(scope="module")
def fresh(processes: Processes, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A process that imported the new sources."""
    root = tmp_path_factory.mktemp("fresh")
    write_tree(root, tree(NEW))
    return processes.run(Request(str(root), [tree(NEW)], "def use(modules): pass"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("live")
    write_tree(folder, tree(OLD))
    return str(folder)


def swapped(processes: Processes, root: str, spoil: str) -> Outcome:
    """A process that imported, was used and swapped; it is spoilt by the use after the swap, before it is read."""
    use = SPOILING_USE.format(spoil)
    outcome = processes.run(Request(root, [tree(OLD), tree(NEW)], use))
    assert not outcome.error and not outcome.swaps[0].refused and not outcome.swaps[0].broken, outcome
    return outcome


def verdict(live: Outcome, fresh: Outcome) -> Verdict:
    edit = Edit(*({n: (m.package, m.source) for n, m in tree(text).items()} for text in (OLD, NEW)))
    swap = live.swaps[0]
    found = compare(swap.used, fresh.imported, [Moment(live.imported, live.used)], edit, swap.stale)
    found.differences += old_code(swap.used, fresh.codes)
    return found


def test_an_honest_swap_is_equal(processes: Processes, root: str, fresh: Outcome) -> None:
    """Kept state is no difference, and is told with its reason."""
    found = verdict(swapped(processes, root, "pass"), fresh)
    assert not found.differences, "\n".join(map(str, found.differences))
    assert {("".join(path), reason) for path, reason in found.kept} == {
        ("app.core.COUNT", "used"), ("app.core.SEEN[0]", "used"), ("app.core.SEEN[1]", "used"),
        ("app.core.CACHE[0]", "computed"),
    }  # fmt: skip


@pytest.mark.parametrize("spoil", SABOTAGE.values(), ids=SABOTAGE.keys())
def test_a_spoilt_process_is_found(processes: Processes, root: str, fresh: Outcome, spoil: str) -> None:
    """One thing that is not as in a fresh process, and neither as before, is a difference."""
    assert verdict(swapped(processes, root, spoil), fresh).differences


@pytest.mark.parametrize(
    "spoil",
    [
        *(s for name, s in SABOTAGE.items() if name not in AS_OLD),
        "c.HANDLERS['a'] = c.HANDLERS.pop('a')",
        "c.CACHE = list(c.CACHE)",
    ],
)
def test_a_refusal_that_changed_anything_is_found(processes: Processes, root: str, spoil: str) -> None:
    """Two readings of one process are equal only if the very same objects are in the very same places."""
    outcome = processes.run(
        Request(root, [tree(OLD)], f"def use(modules):\n    c = modules['app.core']\n    {spoil}\n")
    )
    assert not outcome.error
    assert unchanged(outcome.imported, outcome.used)
    assert not unchanged(outcome.used, outcome.used)


def test_a_missing_swap_is_found(processes: Processes, root: str, fresh: Outcome) -> None:
    """A process that was not swapped at all differs in constant, code, line and source."""
    old = swapped(processes, root, "pass")
    edit = Edit(*({n: (m.package, m.source) for n, m in tree(text).items()} for text in (OLD, NEW)))
    found = compare(old.used, fresh.imported, [Moment(old.imported, old.used)], edit, frozenset())
    assert {"value", "co_consts", "co_code", "shown source"} <= {d.what for d in found.differences}


def test_only_the_very_binding_that_is_named_is_stale(processes: Processes, root: str, fresh: Outcome) -> None:
    """A constant that the report names is told apart from equal ones; a name beside it, or a function, is not excused."""
    live = swapped(processes, root, SABOTAGE["a derived constant is old"])
    edit = Edit(*({n: (m.package, m.source) for n, m in tree(text).items()} for text in (OLD, NEW)))
    moments = [Moment(live.imported, live.used)]

    def found(*named: str) -> Verdict:
        stale = frozenset(place for entry in named for place in bindings("app.core", entry))
        return compare(live.swaps[0].used, fresh.imported, moments, edit, stale)

    assert not found("DERIVED = (it reads LIMIT, which changed)").differences
    assert (("app.core", ".DERIVED"), "stale") in found("DERIVED = (why)").kept
    assert found("LIMIT = (why)", "def a (why)", "class Base (why)", "line 7 (why)").differences


FILLED = """class Codes: pass
CODES = Codes()
LIMITS = {}
def fill(): vars(CODES).update(LIMITS)
fill()
"""


def test_what_is_stale_is_so_under_every_name_that_imports_it(processes: Processes, tmp_path: Path) -> None:
    """An object that the report names where it is made is excused where it is imported; no other name is enough."""
    trees = []
    for limits in ("{'a': 1}", "{'a': 1, 'b': 2}"):
        core = Module(False, "app/core.py", FILLED.replace("{}", limits).encode())
        trees.append({"app": Module(True, "app/__init__.py", b"from app.core import CODES as ALL\n"), "app.core": core})
        write_tree(tmp_path / str(len(trees)), trees[-1])
    live = processes.run(Request(str(tmp_path / "1"), trees, "def use(modules): pass"))
    fresh = processes.run(Request(str(tmp_path / "2"), trees[1:], "def use(modules): pass"))
    (step,) = judge(trees, live, [fresh])
    assert (step.verdict, step.reasons) == ("stale", ["app.ALL->b"])
    live.swaps[0].stale = frozenset({("app", ".CODES"), ("app.core", ".LIMITS")})
    (step,) = judge(trees, live, [fresh])
    assert step.verdict == "wrong"


MADE = """import functools
def make(name): return type(name, (), {"go": lambda self: 1})
Made = make("Made")
class Written: pass
def wrap(): return functools.wraps(Written)(lambda: Written())
wrapped = wrap()
"""


def judged_in(processes: Processes, folder: Path, use: str, *sources: str) -> Step:
    """The step between two versions of one module."""
    trees = [{"app": Module(False, "app.py", source.encode())} for source in sources]
    for index, version in enumerate(trees):
        write_tree(folder / str(index), version)
    live = processes.run(Request(str(folder / "0"), trees, use))
    (step,) = judge(trees, live, [processes.run(Request(str(folder / "1"), trees[1:], use))])
    return step


def test_a_class_that_a_call_made_is_stale_as_a_whole(processes: Processes, tmp_path: Path) -> None:
    """What its maker would add to it now is missing, and the report names what it is bound to."""
    new = MADE.replace('{"go"', '{"stop": 1, "go"')
    step = judged_in(processes, tmp_path, "def use(modules): pass", MADE, new)
    assert (step.verdict, step.reasons) == ("stale", ["app.Made"])


def test_what_copying_notes_of_a_class_is_no_difference(processes: Processes, tmp_path: Path) -> None:
    """`copyreg` caches the names of slots in a class at the first copy, and a wrapper made later takes it over."""
    use = "import copy\ndef use(modules): copy.copy(modules['app'].Written())"
    new = MADE.replace("wrap()", "wrap() or 1").replace("def wrap() or 1", "def wrap()")
    assert judged_in(processes, tmp_path, use, MADE, new).verdict == "equal"


def test_a_class_that_is_passed_on_keeps_its_state(processes: Processes, tmp_path: Path) -> None:
    """`C = add(C)` binds no member: a counter that the process moved on is used, though the body changed elsewhere."""
    old = "def add(cls): return cls\nclass C:\n    count = 0\n    size = 1\nC = add(C)\n"
    use = "def use(modules): modules['app'].C.count += 1"
    assert judged_in(processes, tmp_path, use, old, old.replace("size = 1", "size = 2")).verdict == "equal"


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("RATE = (it calls f)", [(".RATE",)]), ("a, b = (why)", [(".a",), (".b",)]), ("LIMIT:  (why)", [(".LIMIT",)]),
        ("Shop.rate = (why)", [(".Shop", ".rate"), (".Shop", "->rate")]), ("CODES (why)", [(".CODES",)]), ("def f", []), ("class C (x)", []),
        ("make.<locals>.inner (its new code reads n)", [("make.<locals>.inner",)]),
        ("deco.<locals>.w of C.f (why)", [("deco.<locals>.w",)]), ("line 7 (why)", []), ("X =#2 (why)", [(".X",)]),
    ],
)  # fmt: skip
def test_what_an_entry_of_the_report_names(entry: str, names: list[tuple[str, ...]]) -> None:
    """Bindings, and nothing as a whole."""
    assert list(bindings("app", entry)) == [("app", *name) for name in names]


def test_functions_that_call_each_other_depend_on_what_either_reads() -> None:
    """Whichever is asked about first: what one of a circle reads, all of it depends on."""
    source = "def f(): return g() + h()\ndef g(): return f()\ndef h(): return {}\nA = f()\nB = g()\nC = [1]\n"
    for names in (("A", "B"), ("B", "A")):
        edit = Edit(*({"app": (False, source.replace("{}", number).encode())} for number in "12"))
        assert [edit.depends(("app", f".{name}")) for name in (*names, "C")] == [True, True, False]

"""A kept statement that was computed by code that changed follows where that is safe; otherwise the report names it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]

PURE = '''
FACTOR = 10
NAMES = ["a"]
def rate():
    return 2
def scaled(n, *, by=3):
    """Only computes."""
    parts = [x * by for x in range(n)]
    parts.append(FACTOR)
    return tuple(parts)
RATE = rate() * 10
SCALE = scaled(2)
TEXT = ", ".join(str(n) for n in SCALE) + f"{max(RATE, 1)}"
PAIR, OTHER = rate(), (rate(),)
class Shop:
    rate = rate() + 1
'''


def test_a_constant_follows_what_it_was_computed_by(start: Start) -> None:
    """Functions of the app that only build values, in other modules too, are asked again; nothing is stale then."""
    app = start({
        "shop/": "",
        "shop.rates": PURE,
        "shop.web": "from shop import rates\nfrom .rates import RATE, scaled\nHERE = RATE + rates.FACTOR\n"
        "THERE = rates.scaled(1)\n",
    })  # fmt: skip
    rates, web = app.load("shop.rates"), app.load("shop.web")
    picture = app.picture()
    changed: dict[str, str | None] = {"shop.rates": PURE.replace("return 2", "return 3").replace("= 10\n", "= 20\n", 1)}
    app.push(changed).undo()
    assert app.picture() == picture
    report = app.push(changed).report
    assert (rates.RATE, rates.SCALE, rates.TEXT) == (30, (0, 3, 20), "0, 3, 2030")
    assert (rates.PAIR, rates.OTHER, rates.Shop.rate) == (3, (3,), 4)
    assert (web.HERE, web.THERE) == (50, (0, 20))
    assert [module.stale for module in report.modules.values() if module.stale] == []


def test_a_value_set_at_run_time_is_left_alone(start: Start) -> None:
    """What is not what the statement had made is the app's own by now."""
    app = start({"shop": PURE})
    shop = app.load("shop")
    shop.RATE = 77
    report = app.push({"shop": PURE.replace("return 2", "return 3")}).report
    assert (shop.RATE, shop.PAIR) == (77, 3)
    assert report.of("shop").stale == []


@pytest.mark.parametrize(
    ("body", "statement", "value"),
    [
        ("LOG.append(1)\n    return {}", "X = make()", "1"),  # it writes to what others hold
        ("import os\n    return {}", "X = make()", "1"),
        ("global DONE\n    DONE = {}\n    return DONE", "X = make()", "1"),
        ("return len(LOG) + {}", "X = make()", "1"),  # what it reads may have changed since
        ("return open and {}", "X = make()", "1"),
        ("return [{}]", "X = make()", "[1]"),  # a live object
        ("return {}", "X = WRAPPED()", "1"),
    ],
)
def test_what_cannot_be_run_unseen_is_kept_and_named(start: Start, body: str, statement: str, value: str) -> None:
    """The report says which binding, and what it calls."""
    source = (
        "import functools\nLOG = []\ndef make():\n    " + body + "\n"
        "WRAPPED = functools.lru_cache(make)\n" + statement + "\n"
    )
    app = start({"shop": source.format("1")})
    shop = app.load("shop")
    report = app.push({"shop": source.format("2")}).report
    assert repr(shop.X) == value
    written = ["DONE"] if "DONE" in body else []
    assert [entry.partition(" (")[0] for entry in report.of("shop").stale] == ["X =", *written]
    assert "which changed" in report.of("shop").stale[0]


FILLED = """
_codes = {}
class Table(dict): ...
codes = Table()
def _fill():
    for name, code in _codes.items():
        codes[name] = code
_fill()
"""


def test_what_a_statement_filled_is_named(start: Start) -> None:
    """A statement that is run for its effect is not run again: the report names what it had filled, and the line."""
    app = start({"shop": FILLED.format("{'a': 1}")})
    shop = app.load("shop")
    stale = app.push({"shop": FILLED.format("{'a': 1, 'b': 2}")}).report.of("shop").stale
    assert shop.codes == {"a": 1}
    assert stale == ["codes (line 8 of shop made it: it reads _codes, which changed)"]


def test_what_was_filled_with_a_constant_is_named_by_its_name(start: Start) -> None:
    """The container, and not the line that filled it, is what people look for."""
    app = start({"shop": "RATE = 1\nBY_CODE = {}\nBY_CODE['eu'] = RATE\n"})
    app.load("shop")
    report = app.push({"shop": "RATE = 2\nBY_CODE = {}\nBY_CODE['eu'] = RATE\n"}).report
    assert report.of("shop").stale == ["BY_CODE (line 3 made it, and reads RATE, which changed)"]


def test_what_was_filled_is_named_even_if_it_could_have_changed(start: Start) -> None:
    """With another module in the release nobody knows before the commit what an import gives: it gave the same."""
    text = FILLED.replace("class Table(dict): ...", "from tables import Table")
    tables = "class Table(dict): ...\nSIZE = {}\n"
    app = start({"shop": text.format("{'a': 1}"), "tables": tables.format(1)})
    app.load("shop")
    committed = app.push({"shop": text.format("{'a': 1, 'b': 2}"), "tables": tables.format(2)})
    assert [entry.partition(" (")[0] for entry in committed.report.of("shop").stale] == ["codes"]


def test_what_is_only_handed_on_names_nothing(start: Start) -> None:
    """Handlers are patched wherever they are held: an app that was built with them is not stale, nor is a script."""
    source = """
    class App:
        def __init__(self):
            self.routes = {}
        def route(self, path, handler):
            self.routes[path] = handler
    def home():
        return %d
    def maker():
        def inner():
            return %d
        return inner
    def create():
        app = App()
        app.route("/", home)
        return app
    app = create()
    app.route("/again", home)
    TABLE = {"home": home}
    made = maker()
    if __name__ == "__main__":
        home()
    """
    app = start({"shop": source % (1, 1)})
    shop = app.load("shop")
    report = app.push({"shop": source % (2, 2)}).report
    assert (shop.app.routes["/"](), shop.made()) == (2, 2)
    assert report.of("shop").stale == []


CACHED = """
import functools
from shop.rates import scaled
@functools.lru_cache
def price(n):
    return scaled(n)
@functools.lru_cache
def known(n):
    return object()
"""
RATES = "FACTOR = 2\ndef rate():\n    return FACTOR\ndef scaled(n):\n    return n * rate()\nUNUSED = 1\n"


def test_caches_of_results_that_a_change_made_start_empty(start: Start) -> None:
    """A constant two calls away empties the cache of what was computed by it, and no other; so does taking it back."""
    app = start({"shop/": "", "shop.rates": RATES, "shop.prices": CACHED})
    prices = app.load("shop.prices")
    assert prices.price(3) == 6
    kept = prices.known(1)
    committed = app.push({"shop.rates": RATES.replace("FACTOR = 2", "FACTOR = 5")})
    assert prices.price(3) == 15
    assert prices.known(1) is kept
    committed.undo()
    assert prices.price(3) == 6
    app.push({"shop.rates": RATES.replace("UNUSED = 1", "UNUSED = 2")})
    assert prices.price.cache_info().currsize == 1


def test_what_an_unchanged_function_leads_to_is_found_in_modules_that_import_that_alone(start: Start) -> None:
    """The module of the constant holds nothing that changed; it follows all the same."""
    app = start({
        "shop/": "", "shop.rates": RATES, "shop.limits": "from shop.rates import scaled\nLIMIT = scaled(10)\n",
        "shop.more": "from shop.limits import scaled as times\nclass Box:\n    SIZE = times(1)\n",
    })  # fmt: skip
    limits, more = app.load("shop.limits"), app.load("shop.more")
    committed = app.push({"shop.rates": RATES.replace("return FACTOR", "return FACTOR * 10")})
    assert (limits.LIMIT, more.Box.SIZE) == (200, 20)
    assert committed.report.of("shop.limits").stale == []
    committed.undo()
    assert (limits.LIMIT, more.Box.SIZE) == (20, 2)


METHODS = """
class Grammar:
    def __init__(self, text):
        self.text = text
        self.parts = []
    def set_name(self, name):
        self.name = self.cleaned(name)
        return self
    def cleaned(self, name):
        return name.strip()
    def __add__(self, other):
        return Both(self, other)
    def __invert__(self):
        return self
    def parse(self, text):
        return text
class Both(Grammar):
    def __init__(self, *parts):
        super().__init__("")
        self.parts = [part.copy() for part in parts]
    def copy(self):
        return self
class Word(Grammar):
    def copy(self):
        return self
class Other:
    def set_name(self, name): ...
    def cleaned(self, name): ...
    def copy(self): ...
    def append(self, item): ...
def quoted(text):
    return Word(text).set_name("quoted")
NAMED = Word("a").set_name("a")
PLAIN = Word("b")
SUM = PLAIN + Word("c")
TURNED = ~Word("d")
QUOTED = quoted("e")
NAMES = [].append(1)
class Common:
    integer = Word("0-9").set_name("integer")
"""


@pytest.mark.parametrize(
    ("old", "new", "stale"),
    [
        ("return name.strip()", "return name", ["NAMED =", "QUOTED =", "Common.integer ="]),  # by way of set_name
        ("self.text = text", "self.text = [text]", ["NAMED =", "PLAIN =", "SUM =", "TURNED =", "QUOTED =",
                                                    "Common.integer ="]),
        ("return Both(self, other)", "return Both(other, self)", ["SUM ="]),
        ("def __invert__(self):\n        return self", "def __invert__(self):\n        return None", ["TURNED ="]),
        ("        return text\n", "        return [text]\n", []),  # nothing called it when they were made
        ("def copy(self): ...", "def copy(self): return 1", []),  # of a class that none of them has to do with
        ("def append(self, item): ...", "def append(self, item): return 1", []),
        ("class Word(Grammar):\n    def copy(self):\n        return self",
         "class Word(Grammar):\n    def copy(self):\n        return None", ["SUM ="]),
        ("class Word(Grammar):\n", "class Word(Grammar):\n    def cleaned(self, name):\n        return name\n",
         ["NAMED =", "QUOTED =", "Common.integer ="]),  # it hides the one that ran
    ],
)  # fmt: skip
def test_what_methods_computed_is_named(start: Start, old: str, new: str, stale: list[str]) -> None:
    """Methods are found by the classes of what they are called on, however many steps down; operators call them too."""
    app = start({"shop": METHODS})
    app.load("shop")
    assert METHODS.count(old) == 1
    report = app.push({"shop": METHODS.replace(old, new)}).report
    assert sorted(entry.partition(" (")[0] for entry in report.of("shop").stale) == sorted(stale)


def test_annotations_and_docstrings_of_what_is_called_make_nothing_stale(start: Start) -> None:
    """Nor do those of functions that it makes: calling it computes the same."""
    source = '''
    def field(name, *, default=None):
        """%s"""
        def read(self%s)%s:
            return default
        class Kept:
            """%s"""
        return {name: read, "kept": Kept}
    class Table:
        def __init__(self, name%s): self.name = name
    FIELD = field("a")
    TABLE = Table("t")
    '''
    app = start({"shop": source % ("one", "", "", "one", "")})
    app.load("shop")
    report = app.push({"shop": source % ("two", ": 'Shop'", " -> int", "two", ": str")}).report
    assert report.of("shop").patched and report.of("shop").stale == []


def test_a_branch_that_is_not_taken_computes_nothing(start: Start) -> None:
    """What constant arguments and the Python that runs decide is decided before anything is called stale."""
    source = """
    import sys
    def helper(): return {}
    def make(name, *, checked=False, kind=None):
        found = [name]
        if checked:
            found.append(helper())
        if kind is not None and isinstance(kind, str):
            found.append(helper())
        return found
    PLAIN = make("a")
    CHECKED = make("b", checked=True)
    KIND = make("c", kind="d")
    TABLE = make("d", kind=1)
    if sys.version_info >= (3, 8):
        import json as taken
    else:
        taken = helper()
    if not hasattr(sys, "path"):
        other = helper()
    """
    app = start({"shop": source.format("1")})
    app.load("shop")
    report = app.push({"shop": source.format("2")}).report
    assert [entry.partition(" (")[0] for entry in report.of("shop").stale] == ["CHECKED =", "KIND ="]


def test_a_block_for_scripts_is_not_stale(start: Start) -> None:
    """Nothing under ``if __name__ == "__main__"`` ran when the app was imported."""
    source = "SIZES = [{}]\nif __name__ == '__main__':\n    import argparse\n    found = list(SIZES)\n"
    app = start({"shop": source.format(1)})
    app.load("shop")
    assert app.push({"shop": source.format(2)}).report.of("shop").stale == []


def test_what_looks_at_all_names_of_a_class_is_named(start: Start) -> None:
    """``vars(Common)`` reads whatever it binds: what was made of that is another list now."""
    source = """
    class Common:
        first = [1]
        %s
    class Rare:
        first = [1]
    ALL = [value for value in vars(Common).values() if type(value) is list]
    RARE = [value for value in vars(Rare).values() if type(value) is list]
    """
    app = start({"shop": source % ""})
    app.load("shop")
    stale = app.push({"shop": source % "second = [2]"}).report.of("shop").stale
    assert stale == ["ALL = (it reads Common, which changed)"]


def test_what_is_made_of_what_is_stale_is_named(start: Start) -> None:
    """If it looks at what that holds; not if it only holds the same object, which is named where it was made."""
    source = """
    def first():
        return [{}]
    FIRST = first()
    SECOND = [1]
    ALL = []
    ALL += FIRST + SECOND
    DOUBLE = [item * 2 for item in FIRST]
    TABLE = {{"first": FIRST}}
    OTHER = [item * 2 for item in SECOND]
    if "missing" not in globals():
        missing = OTHER
    """
    app = start({"shop": source.format(1)})
    app.load("shop")
    stale = app.push({"shop": source.format(2)}).report.of("shop").stale
    assert [entry.partition(" (")[0] for entry in stale] == ["FIRST =", "ALL", "DOUBLE ="]
    assert "it reads FIRST, which is stale" in stale[1]


def test_instances_of_what_a_name_meant_before_are_named(start: Start) -> None:
    """A class that moved to another module is another class there; instances live on as they were, and are named."""
    web = "from shop.goods import Item, price\nITEM = Item()\nITEMS = [Item()]\nPRICES = [price()]\n"
    web += "def f(x=Item()): pass\n"
    goods = "class Item:\n    pass\ndef price():\n    return {n}\n"
    app = start({"shop/": "", "shop.goods": goods.format(n=1), "shop.web": web})
    app.load("shop.web")
    changed = {"shop.goods": "from shop.stock import Item, price\n", "shop.stock": goods.format(n=2)}
    assert sorted(app.push(dict(changed)).report.of("shop.web").stale) == [
        "ITEM = (it reads Item, which changed)",
        "ITEMS = (it reads Item, which changed)",
        "PRICES = (it calls price, which changed)",
        "def f (it reads Item, which changed)",
    ]


def test_a_function_that_only_moved_makes_nothing_stale(start: Start) -> None:
    """It is another object, and does the same."""
    goods = "def price():\n    return [1]\n"
    app = start({"shop/": "", "shop.goods": goods, "shop.web": "from shop.goods import price\nPRICES = price()\n"})
    web = app.load("shop.web")
    report = app.push({"shop.goods": "from shop.stock import price\n", "shop.stock": goods}).report
    assert report.of("shop.web").stale == []
    assert web.price.__module__ == "shop.stock"

"""What a kept statement calls by way of lambdas, partials, bound methods and the like: it follows, or is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]

VALUES = """
import operator
from functools import partial
class Shop:
    def up(self, x):
        return x + 1
def scale(x, k):
    return x * k
double = partial(scale, k=2)
FOUR = double(2)
key = lambda x: x
TOP = max((1, -2), key=key)
LOW = tuple(sorted((2, -1), key=lambda x: x))
EACH = tuple(map(scale, (1, 2), (3, 4)))
half = partial(pow, 2)
EIGHT = half(3)
up = Shop().up
ONE = up(0)
pad = "{:>3}".format
PADDED = pad("x")
loud = operator.methodcaller("upper")
LOUD = loud("ab")
LIST = [(lambda x: x)(1)]
"""
EDITS = (
    ("return x * k", "return x * k + 1"), ("key = lambda x: x", "key = lambda x: -x"),
    ("key=lambda x: x", "key=lambda x: -x"),
    ("partial(pow, 2)", "partial(pow, 3)"), ("return x + 1", "return x + 9"), (":>3", ":<3"), ('"upper"', '"title"'),
    ("[(lambda x: x)", "[(lambda x: -x)"),
)  # fmt: skip


def test_what_is_called_by_way_of_others_follows_or_is_named(start: Start) -> None:
    """Plain values that nothing but pure functions gave are computed again; all others are kept, and each is named."""
    app = start({"shop": VALUES})
    shop = app.load("shop")
    picture = app.picture()
    after = VALUES
    for old, new in EDITS:
        assert after.count(old) == 1, old
        after = after.replace(old, new)
    app.push({"shop": after}).undo()
    assert app.picture() == picture
    report = app.push({"shop": after}).report
    assert (shop.FOUR, shop.TOP, shop.LOW, shop.EACH) == (5, -2, (2, -1), (4, 9))
    assert (shop.EIGHT, shop.ONE, shop.PADDED, shop.LOUD, shop.LIST) == (8, 1, "  x", "AB", [1])
    named = {entry.partition(" =")[0] for entry in report.of("shop").stale}
    assert named == {"EIGHT", "ONE", "PADDED", "LOUD", "LIST"}


def test_what_another_module_took_from_what_is_stale_is_named(start: Start) -> None:
    """A table is kept; who read a value out of it elsewhere has an old one, or half of one."""
    app = start({
        "conf": "Z = 1\nTABLE = {'z': Z, 'l': []}\n",
        "shop": "from conf import TABLE as T, Z\nSUM = T['z'] + Z\nTWICE = SUM * 2\n",
    })  # fmt: skip
    app.load("shop")
    report = app.push({"conf": "Z = 5\nTABLE = {'z': Z, 'l': []}\n"}).report
    assert [entry.partition(" ")[0] for entry in report.of("conf").stale] == ["TABLE"]
    assert [entry.partition(" ")[0] for entry in report.of("shop").stale] == ["SUM", "TWICE"]


REGISTRY = """
NAMES, ALL, SEEN = {}, set(), []
def on(*names):
    def register(f):
        if f.__name__ == "bad":
            raise ValueError("no")
        for name in names:
            NAMES[name] = f
        ALL.add(f)
        if f not in SEEN:
            SEEN.append(f)
        return f
    return register
"""


@pytest.mark.parametrize("kind", ["def f():\n    return 1\n", "class f:\n    pass\n"])
def test_what_a_decorator_writes_again_stays(start: Start, kind: str) -> None:
    """Under several names, in a set, and in a list that is looked into first: those that are given again stay."""
    text = f"from reg import on\n@on('a', 'b')\n{kind}@on('z')\ndef last(): ...\n"
    app = start({"reg": REGISTRY, "app": text})
    module, reg = app.load("app"), app.load("reg")
    picture = app.picture()
    after = text.replace("'b'", "'c'")
    app.push({"app": after}).undo()
    assert app.picture() == picture
    report = app.push({"app": after}).report
    assert {"a": module.f, "c": module.f, "z": module.last} == reg.NAMES
    assert {module.f, module.last} == reg.ALL and [module.f, module.last] == reg.SEEN
    assert report.of("app").doubled == []


def test_a_decorator_that_raises_leaves_the_registry_as_it_was(start: Start) -> None:
    """What stood in for the function while its decorators ran is nowhere afterwards."""
    text = "from reg import on\n@on('a', 'b')\ndef f():\n    return 1\n"
    app = start({"reg": REGISTRY, "app": text})
    module, reg = app.load("app"), app.load("reg")
    with pytest.raises(Exception, match="no"):
        app.push({"app": text.replace("'b'", "'c'") + "@on('x')\ndef bad(): ...\n"})
    assert {"a": module.f, "b": module.f} == reg.NAMES
    assert {module.f} == reg.ALL and [module.f] == reg.SEEN

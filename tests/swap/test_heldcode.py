"""A container that a decorator filled with code objects holds those that the functions run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]

MARKS = """
SEEN, ORDER, NAMES = set(), [], {}
def internal(f):
    SEEN.add(f.__code__)
    ORDER.append(f.__code__)
    NAMES[f.__code__] = f.__name__
    return f
def plain(f):
    return f
"""
USES = """
from shop.marks import internal, plain
@internal
def first():
    return 1
@internal
def second(a=1):
    return 2
class C:
    @internal
    def third(self):
        return 3
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return 1", "return 10"),
        ("\n@internal\ndef first", "\n# moved\n@internal\ndef first"),
        ("return 3", "return 30"),
        ("second(a=1)", "second(a, b=1)"),
        ("@internal\ndef second", "@internal\n@plain\ndef second"),
    ],
)
def test_code_that_is_held_follows_its_function(start: Start, old: str, new: str) -> None:
    """In its place, once, whether the function was patched or its decorators ran again; undone, all is as it was."""
    app = start({"shop/": "", "shop.marks": MARKS, "shop.uses": USES})
    uses, marks = app.load("shop.uses"), app.load("shop.marks")
    seen, order, names = marks.SEEN.copy(), [*marks.ORDER], {**marks.NAMES}
    committed = app.push({"shop.uses": USES.replace(old, new)})
    codes = [f.__code__ for f in (uses.first, uses.second, uses.C.third)]
    assert [id(code) for code in marks.ORDER] == [id(code) for code in codes]
    assert {id(code) for code in marks.SEEN} == {id(code) for code in codes}
    assert [(id(code), name) for code, name in marks.NAMES.items()] == [
        (id(code), name) for code, name in zip(codes, ("first", "second", "third"), strict=True)
    ]
    committed.undo()
    assert seen == marks.SEEN
    assert order == marks.ORDER
    assert names == marks.NAMES

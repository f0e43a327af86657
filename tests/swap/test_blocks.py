"""Blocks follow what they read; names that are deleted again are not left behind, and what read them follows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]

BLOCK = """
DEBUG = 0
if DEBUG:
    def show(n=1):
        return ("debug", n)
    LEVEL = 2
else:
    def show(n=1):
        return ("plain", n)
    NAMES = ["a"]
class Shop:
    big = DEBUG
    if big:
        def size(self):
            return 9
    else:
        small = 1
"""


def test_an_unchanged_block_follows_what_it_reads(start: Start) -> None:
    """The names of the branch that is taken now are bound, those of the other are not; functions stay who they are."""
    app = start({"shop": BLOCK, "web": "import shop\nif shop.DEBUG:\n    MODE = 'd'\nelse:\n    MODE = 'p'\n"})
    shop, web = app.load("shop"), app.load("web")
    show, picture = shop.show, app.picture()
    new: dict[str, str | None] = {"shop": BLOCK.replace("DEBUG = 0", "DEBUG = 1")}
    app.push(new).undo()
    assert app.picture() == picture
    report = app.push(new).report
    assert (shop.show is show, show(), shop.LEVEL, web.MODE) == (True, ("debug", 1), 2, "d")
    assert not hasattr(shop, "NAMES")
    assert shop.Shop().size() == 9
    assert not hasattr(shop.Shop, "small")
    assert [module.stale for module in report.modules.values() if module.stale] == []


def test_what_the_process_bound_otherwise_stays(start: Start) -> None:
    """A name of a block that was set since, or a list that was added to, is state."""
    app = start({"shop": BLOCK})
    shop = app.load("shop")
    shop.show, other = len, shop.show
    shop.NAMES.append("b")
    app.push({"shop": BLOCK.replace("DEBUG = 0", "DEBUG = 1")})
    assert shop.show is len
    assert other() == ("plain", 1)
    assert shop.NAMES == ["a", "b"]


def test_a_block_that_calls_the_app_is_named_and_not_run(start: Start) -> None:
    """It could be noticed: the names that it bound are stale, each for itself."""
    text = "N = 0\nRAN = []\ndef note(n):\n    RAN.append(n)\n    return n\nif note(N) or 1:\n    A = 'a'\n    B = N\n"
    app = start({"shop": text})
    shop = app.load("shop")
    report = app.push({"shop": text.replace("N = 0", "N = 1")}).report
    assert shop.RAN == [0]
    assert [entry.partition(" (")[0] for entry in report.modules["shop"].stale] == ["RAN", "A", "B"]


def test_a_block_that_defines_and_registers_can_change(start: Start) -> None:
    """What it adds is exchanged in its place, and is the function that lives, not a second one."""
    text = "CALLS = [0]\nif True:\n    def hook():\n        return 1\n    CALLS.append(hook)\nCALLS.append('last')\n"
    app = start({"shop": text})
    shop = app.load("shop")
    hook, picture = shop.hook, app.picture()
    changed = text.replace("return 1", "return 2").replace("(hook)", "(hook)\n    CALLS.append(7)")
    new: dict[str, str | None] = {"shop": changed}
    app.push(new).undo()
    assert app.picture() == picture
    app.push(new)
    assert [0, hook, 7, "last"] == shop.CALLS
    assert shop.hook is hook
    assert hook() == 2


TEMPORARY = "tmp = 2\nx = tmp + 1\ny = (tmp, x)\ndel tmp\n"


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (TEMPORARY.replace("= 2", "= 5"), {"x": 6, "y": (5, 6)}),
        (TEMPORARY.replace("+ 1", "+ 3"), {"x": 5, "y": (2, 5)}),
        (TEMPORARY + "z = x\n", {"x": 3, "y": (2, 3), "z": 3}),
        (TEMPORARY.replace("del tmp\n", ""), {"tmp": 2, "x": 3, "y": (2, 3)}),
    ],
)
@pytest.mark.parametrize("indent", ["", "    "])
def test_a_name_that_is_deleted_again(start: Start, indent: str, after: str, expected: dict[str, object]) -> None:
    """It is not left behind, in a module or a class, and constants that were computed from it follow."""
    head = "class C:\n    first = 0\n" if indent else ""
    old, new = (head + "".join(f"{indent}{line}\n" for line in text.splitlines()) for text in (TEMPORARY, after))
    app = start({"shop": old})
    shop = app.load("shop")
    app.push({"shop": new})
    found = vars(shop.C if indent else shop)
    assert {name: found[name] for name in ("tmp", "x", "y", "z") if name in found} == expected


def test_a_deleted_import_is_made_again_for_a_statement_that_changed(start: Start) -> None:
    """``import os as _os``, and ``del _os`` at the end, do not keep the lines between them from changing."""
    text = "import os as _os\nSEP = _os.sep\nHELD = [_os.sep]\ndel _os\n"
    app = start({"shop": text})
    shop = app.load("shop")
    held = shop.HELD
    app.push({"shop": text.replace("SEP = _os.sep", "SEP = (_os.sep, 1)")})
    assert shop.SEP[1] == 1
    assert shop.HELD is held
    assert not hasattr(shop, "_os")


def test_a_live_object_made_from_a_deleted_name_is_named(start: Start) -> None:
    """It is kept, and the report says that it is stale."""
    text = "tmp = 2\nx = [tmp]\ndel tmp\n"
    app = start({"shop": text})
    shop = app.load("shop")
    report = app.push({"shop": text.replace("= 2", "= 3")}).report
    assert shop.x == [2]
    assert report.modules["shop"].stale == ["x = (what it read is deleted further down)"]


def test_a_class_that_a_block_makes_again_and_that_cannot_be_taken_over_is_named(start: Start) -> None:
    """It has a metaclass of the app: the name is bound to the new class, and instances are of the one before."""
    text = (
        "class Kind(type):\n    pass\nif True:\n    class Item(metaclass=Kind):\n        size = 1\n"
        "    class Plain:\n        size = 1\nHELD = [Item()]\n"
    )
    app = start({"shop": text})
    shop = app.load("shop")
    plain, held = shop.Plain, shop.HELD[0]
    report = app.push({"shop": text.replace("size = 1", "size = 2")}).report
    assert (shop.Item.size, shop.Plain is plain, plain.size) == (2, True, 2)
    assert type(held) is not shop.Item
    named = [entry.partition(" (")[0] for entry in report.of("shop").stale]
    assert "Item" in named
    assert "Plain" not in named

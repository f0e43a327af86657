"""A statement of the new code that raises: named with its module, unit and line, and shown as its author wrote it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from living import LiveApp

from habanero_receiver.swap import SwapError, SwapFailedError, SwapRefusedError
from habanero_receiver.swap.report import Refusal
from habanero_receiver.swap.showing.raised import shown

Start = Callable[[dict[str, str]], LiveApp]


def raised(app: LiveApp, changed: dict[str, str | None], kind: type[SwapError]) -> Refusal:
    """Pushes what raises; gives the one refusal of its report."""
    with pytest.raises(kind) as caught:
        app.push(changed)
    ((_, refusal),) = caught.value.report.refusals()
    return refusal


LEAF = "def leaf(x):\n    return 1 / x\n"


@pytest.mark.parametrize(("body", "unit", "line", "kind"), [
    ("A = 1\n\nB = [\n    1,\n    A / 0,  # here\n]\n", "B =", 5, SwapRefusedError),
    ("from more import leaf\n\nX = leaf(0)  # here\n", "X =", 3, SwapFailedError),
    ("A = 1\n\nclass C:\n    x = 1\n    y = A / 0  # here\n", "class C", 5, SwapFailedError),
    ("def wrap(f):\n    return f / 0  # here\n\n@wrap\ndef g():\n    pass\n", "def g", 4, SwapFailedError),
])  # fmt: skip
def test_the_statement_is_named_and_shown(
    start: Start, body: str, unit: str, line: int, kind: type[SwapError]
) -> None:
    """Unit and line are the statement's; the traceback has its text and the file's true name, and nothing of ours."""
    app = start({"shop": "A = 1\n", "more": LEAF})
    shop = app.load("shop")
    app.load("more")
    refusal = raised(app, {"shop": body}, kind)
    assert (refusal.unit, refusal.line) == (unit, line)
    assert "raised" in refusal.reason and refusal.help
    assert "# here" in refusal.traceback
    assert f'"{shop.__file__}", line' in refusal.traceback
    assert "@" not in refusal.traceback.replace("@wrap", "")
    assert "habanero_receiver" not in refusal.traceback
    assert refusal.traceback.rstrip().endswith(refusal.reason.partition("raised ")[2])


def test_a_new_module_that_raises_when_it_is_imported(start: Start) -> None:
    """The import is named; the traceback goes on into the new module, with a text that no file has any more."""
    app = start({"shop/": "A = 1\n"})
    app.load("shop")
    changed: dict[str, str | None] = {"shop/": "import shop.fresh\n", "shop.fresh": "X = [][1]  # there\n"}
    refusal = raised(app, changed, SwapFailedError)
    assert (refusal.unit, refusal.line) == ("import shop", 1)
    assert "X = [][1]  # there" in refusal.traceback


def test_a_hook_that_raises(start: Start) -> None:
    """A ``__code_change__`` that raises is named as the unit that it is."""
    app = start({"shop": "A = 1\n"})
    app.load("shop")
    refusal = raised(app, {"shop": "A = 1\ndef __code_change__(old):\n    old['nope']  # here\n"}, SwapFailedError)
    assert (refusal.unit, refusal.line) == ("def __code_change__", 3)
    assert "# here" in refusal.traceback


def test_causes_are_shown_too(start: Start) -> None:
    """What an exception came from is part of its traceback, without our frames as well."""
    app = start({"shop": "A = 1\n"})
    app.load("shop")
    body = "try:\n    {}['a']  # first\nexcept KeyError as error:\n    raise ValueError('b') from error  # then\n"
    refusal = raised(app, {"shop": body}, SwapFailedError)
    assert refusal.traceback.index("# first") < refusal.traceback.index("# then")
    assert "habanero_receiver" not in refusal.traceback


def test_an_exception_that_cannot_be_shown(start: Start) -> None:
    """An exception whose own text raises is named by its type."""
    app = start({"shop": "class Odd(Exception):\n    def __str__(self):\n        raise TypeError\n"})
    app.load("shop")
    body = "class Odd(Exception):\n    def __str__(self):\n        raise TypeError\ndef f():\n    raise Odd\nf()\n"
    refusal = raised(app, {"shop": body}, SwapFailedError)
    assert refusal.reason == "running it raised Odd"
    assert "raise Odd" in refusal.traceback


def test_a_class_that_turns_out_not_to_fit_is_refused(start: Start) -> None:
    """What a living class cannot take is a refusal with its reason, not an exception of the author's code."""
    app = start({"shop": "from collections import namedtuple\nP = namedtuple('P', 'x')\nIT = P(1)\n"})
    app.load("shop")
    picture = app.picture()
    body = "from collections import namedtuple\n\nP = namedtuple('P', 'w')\nIT = P(1)\n"
    refusal = raised(app, {"shop": body}, SwapRefusedError)
    assert (refusal.unit, refusal.line, refusal.traceback) == ("P =", 3, "")
    assert "at its end" in refusal.reason and "restart" in refusal.help
    assert app.picture() == picture


def test_an_endless_traceback_is_cut_at_its_end() -> None:
    """The last part is what names the error; it stays."""
    with pytest.raises(ValueError) as caught:
        raise ValueError("x" * 20_000 + "the end")
    text = shown(caught.value)
    assert len(text) <= 8_000 and text.rstrip().endswith("the end")


TABLES = """
NAMES = {names}
CODES = {{code: name for name, code in NAMES.items()}}
def find(code):
    return CODES[code]
FIRST = find({code})
"""


def test_a_kept_table_that_the_statement_ran_on_is_named(start: Start) -> None:
    """A fresh process would have made the table anew: the reason and the help say so, and nothing changed."""
    app = start({"shop": TABLES.format(names={"a": 1}, code=1)})
    shop = app.load("shop")
    before = app.picture()
    changed = TABLES.format(names={"a": 1, "b": 2}, code=2)
    refusal = raised(app, {"shop": changed}, SwapFailedError)
    assert refusal.unit == "FIRST ="
    assert refusal.reason == "it ran on shop.CODES, kept although made from what changed, and raised KeyError: 2"
    assert "change their statements too" in refusal.help
    assert (app.picture(), shop.FIRST) == (before, "a")


def test_a_kept_table_that_nothing_changed_is_not_blamed(start: Start) -> None:
    """What it reads beside is the same in a fresh process: the statement itself raised."""
    app = start({"shop": TABLES.format(names={"a": 1}, code=1)})
    app.load("shop")
    refusal = raised(app, {"shop": TABLES.format(names={"a": 1}, code=2)}, SwapFailedError)
    assert refusal.reason == "running it raised KeyError: 2"

"""Statements of a module or class body, after a swap: what they bound, filled or raised, as a fresh import would."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from living import LiveApp

from habanero_receiver.swap import SwapRefusedError

Start = Callable[[dict[str, str]], LiveApp]


@pytest.mark.parametrize(("source", "line", "unit"), [
    ("A = 1\n\nB = (\n    2,\n    A / 0,\n)\nC = B\n", 5, "B ="),
    ("A = 1\nimport math, nowhere_at_all\n", 2, "import math, nowhere_at_all"),
])  # fmt: skip
def test_a_statement_that_raises_while_staging_is_named(start: Start, source: str, line: int, unit: str) -> None:
    """The refusal names the statement and the line that raised, once, and nothing that would follow from it."""
    app = start({"shop": "A = 1\n"})
    app.load("shop")
    with pytest.raises(SwapRefusedError) as caught:
        app.push({"shop": source})
    assert [(r.line, r.unit) for _, r in caught.value.refusals] == [(line, unit)]

"""The example of docs/adapters.md, as it is printed there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from habanero_receiver.swap import SwapRefusedError, adapters

PAGE = Path(__file__).resolve().parents[3] / "docs" / "adapters.md"


@pytest.fixture(autouse=True)
def _own_adapters_only() -> Iterator[None]:
    """No adapter outlives its test."""
    known = list(adapters._registered)
    yield
    adapters._registered[:] = known


def test_the_example_does_what_the_page_says(start: Any) -> None:
    """The example's registry follows a changed handler, and its frozen class refuses another layout."""
    blocks = re.findall(r"```python\n# shop/(\w+)\.py\n(.*?)```", PAGE.read_text(), re.DOTALL)
    sources = {f"shop.{name}": text for name, text in blocks}
    app_text = "from shop.registry import Frozen, handler\n@handler\ndef pay(n=1):\n    return n\n"
    app_text += "class Log(Frozen):\n    layout = 'a'\n"
    app = start({"shop/": "", **sources, "shop.app": app_text})
    app.load("shop.adapter")
    module, registry = app.load("shop.app"), app.load("shop.registry")
    committed = app.push({"shop.app": app_text.replace("n=1", "n=2")})
    assert registry.PREPARED == {"pay": "pay(2,)"}
    assert registry.HANDLERS["pay"] is module.pay
    committed.undo()
    assert registry.PREPARED == {"pay": "pay(1,)"}
    with pytest.raises(SwapRefusedError) as caught:
        app.stage({"shop.app": app_text.replace("'a'", "'b'")})
    assert str(caught.value.report.refusals()[0][1].help) == "restart, and convert the files"

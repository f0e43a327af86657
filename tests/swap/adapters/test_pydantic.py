"""pydantic: what is built on a model that changed follows: subclasses, holders, filled-in generics, type adapters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]

HEAD = """
from typing import Generic, TypeVar
from pydantic import BaseModel, Field, RootModel, TypeAdapter, computed_field, field_validator, model_validator
T = TypeVar("T")
"""
ITEM = """
class Item(BaseModel):
    cents: int
    @field_validator("cents")
    @classmethod
    def check(cls, value):
        return value
"""
CHANGED = """
class Item(BaseModel):
    cents: int = Field(gt=10)
    currency: str = "EUR"
    @field_validator("cents")
    @classmethod
    def check(cls, value):
        return value + 1
    @computed_field
    @property
    def euros(self) -> float:
        return self.cents / 100
"""
REST = """
class Page(BaseModel, Generic[T]):
    items: list[T]
class Gift(Item):
    label: str = ""
class Basket(RootModel[list[Item]]):
    pass
class Cache:
    def __init__(self):
        self.readers = {"items": TypeAdapter(list[Item])}
ItemPage = Page[Item]
cache = Cache()
"""


def test_all_that_is_built_on_a_model_follows(start: Start) -> None:
    """A new field, a constraint and a validator reach each model and adapter, and go again with the release."""
    app = start({"shop": HEAD + ITEM + REST})
    shop = app.load("shop")
    living = shop.Item(cents=1)
    picture = app.picture()
    committed = app.push({"shop": HEAD + CHANGED + REST})
    expected = {"cents": 100, "currency": "EUR", "euros": 1.0}
    (read,) = shop.cache.readers["items"].validate_python([{"cents": 99}])
    for item in (
        shop.Item(cents=99),
        shop.ItemPage(items=[{"cents": 99}]).items[0],
        shop.Page[shop.Item](items=[{"cents": 99}]).items[0],
        shop.Basket([{"cents": 99}]).root[0],
        read,
    ):
        assert type(item) is shop.Item
        assert item.model_dump() == expected
    assert shop.Gift(cents=99).model_dump() == {**expected, "label": ""}
    with pytest.raises(ValueError, match="greater than 10"):
        shop.cache.readers["items"].validate_python([{"cents": 5}])
    assert type(living) is shop.Item
    committed.undo()
    assert app.picture() == picture
    assert shop.cache.readers["items"].validate_python([{"cents": 5}]) == [shop.Item(cents=5)]


def test_a_generic_model_that_changed_reaches_its_filled_in_forms(start: Start) -> None:
    """`Page[Item]` stays the same class and has the fields and validators that `Page` has now."""
    app = start({"shop": HEAD + ITEM + REST})
    shop = app.load("shop")
    page, filled = shop.ItemPage(items=[{"cents": 1}]), shop.ItemPage
    grown = REST.replace(
        "    items: list[T]\n",
        "    items: list[T]\n    first: T | None = None\n    total: int = 0\n    @model_validator(mode='after')\n"
        "    def count(self):\n        self.total = len(self.items)\n        return self\n",
    )
    committed = app.push({"shop": HEAD + ITEM + grown})
    assert shop.ItemPage is filled is shop.Page[shop.Item]
    assert isinstance(page, filled)
    made = shop.ItemPage(items=[{"cents": 1}], first={"cents": 2})
    assert (made.total, type(made.first)) == (1, shop.Item)
    committed.undo()
    assert set(shop.ItemPage.model_fields) == {"items"}


HOLDER = """
class Line(BaseModel):
    item: Item
    @computed_field
    @property
    def cents(self) -> int:
        return self.item.cents
"""


def test_what_compiling_tells_a_computed_field_is_taken_back(start: Start) -> None:
    """An undone swap leaves a model that holds the changed one as it was: compiling it renews parts of its table."""
    app = start({"shop": HEAD + ITEM + HOLDER})
    shop = app.load("shop")
    entry = vars(shop.Line)["__pydantic_decorators__"].computed_fields["cents"]
    before = entry.info
    app.push({"shop": HEAD + CHANGED + HOLDER}).undo()
    assert vars(shop.Line)["__pydantic_decorators__"].computed_fields["cents"] is entry
    assert entry.info is before
    assert shop.Line.model_validate({"item": {"cents": 1}}).model_dump() == {"item": {"cents": 1}, "cents": 1}

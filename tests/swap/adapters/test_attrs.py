"""attrs classes follow their bodies: methods, validators, converters, defaults; new slots are refused."""

from __future__ import annotations

from typing import Any

import pytest
from living import dedented

from habanero_receiver.swap import SwapRefusedError

attrs = pytest.importorskip("attrs")

SHOP = dedented(
    {
        "shop": """
        import attrs
        from attrs import define, field, frozen, validators

        @define
        class Item:
            name: str
            price: int = field(default=1, validator=validators.ge(0))
            tags: list = field(factory=list)

            @price.validator
            def check(self, attribute, value):
                if value > 100:
                    raise ValueError("too dear")

            def total(self):
                return self.price

            def label(self):
                return super().__repr__()[:5] and "v1"

        @frozen
        class Point:
            x: int = field(converter=int)
            y: int = 0

            def moved(self):
                return attrs.evolve(self, x=self.x + 1)

        @define(slots=False)
        class Open:
            a: int = 1

        @attrs.define(slots=False, frozen=True)
        class Config:
            level: str = field(default="INFO", converter=str.upper)

        @define
        class Base:
            size: int = 1
            def area(self):
                return self.size

        @define
        class Square(Base):
            side: int = 2
            def area(self):
                return super().area() * self.side

        ITEM, POINT, OPEN, SQUARE = Item("a", 2), Point("3"), Open(), Square()
    """
    }
)


def test_methods_of_slotted_and_frozen_classes(start: Any) -> None:
    """Methods change in place, with `super` and `evolve`, for instances that live already."""
    app = start(SHOP)
    shop = app.load("shop")
    item, point, square = shop.ITEM, shop.POINT, shop.SQUARE
    text = (
        SHOP["shop"]
        .replace("return self.price\n", "return self.price * 10\n")
        .replace('and "v1"', 'and "v2"')
        .replace("x=self.x + 1", "x=self.x + 5, y=9")
        .replace("return super().area() * self.side", "return super().area() * self.side + 100")
        .replace("return self.size", "return self.size * 2")
    )
    text = text.replace("    def label", "    def fresh(self):\n        return 'fresh'\n\n    def label")
    committed = app.push({"shop": text})
    assert (item.total(), item.label(), item.fresh()) == (20, "v2", "fresh")
    assert point.moved() == shop.Point(8, 9)
    assert square.area() == 104
    assert (item, point) == (shop.ITEM, shop.POINT)
    committed.undo()
    assert (item.total(), item.label(), hasattr(item, "fresh")) == (2, "v1", False)


def test_validators_converters_and_defaults_change(start: Any) -> None:
    """What a field says beside its name is taken over by the class that lives."""
    app = start(SHOP)
    shop = app.load("shop")
    kinds = (shop.Item, shop.Point, shop.Config)
    text = (
        SHOP["shop"]
        .replace("default=1, validator=validators.ge(0)", "default=7, validator=validators.ge(5)")
        .replace("converter=int", "converter=lambda v: int(v) * 2")
        .replace("converter=str.upper", "converter=str.lower")
        .replace("value > 100", "value > 50")
    )
    committed = app.push({"shop": text})
    assert (shop.Item, shop.Point, shop.Config) == kinds
    assert shop.Item("x").price == 7
    with pytest.raises(ValueError, match="must be >= 5"):
        shop.Item("x", 4)
    with pytest.raises(ValueError, match="too dear"):
        shop.Item("x", 60)
    assert shop.Point("4").x == 8
    assert shop.Config().level == "info"
    assert attrs.fields(shop.Item).price.default == 7
    committed.undo()
    assert (shop.Item("x", 4).price, shop.Point("4").x, shop.Config().level) == (4, 4, "INFO")


def test_a_field_of_a_class_without_slots_is_added(start: Any) -> None:
    """The class takes the field; instances that live already have its default."""
    app = start(SHOP)
    shop = app.load("shop")
    app.push({"shop": SHOP["shop"].replace("a: int = 1\n", "a: int = 1\n    b: int = 2\n")})
    assert shop.Open() == shop.Open(1, 2)
    assert shop.OPEN.b == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [("name: str\n", "name: str\n    size: int = 0\n"), ("y: int = 0\n", ""), ("side: int = 2", "edge: int = 2")],
)
def test_fields_of_slotted_classes_are_refused(start: Any, old: str, new: str) -> None:
    """`define` makes slots: a field added, removed or renamed is refused with the class and what to do.

    No picture is compared: attrs renames one function of its own, `evolve`, whenever it makes a class.
    """
    app = start(SHOP)
    shop = app.load("shop")
    with pytest.raises(SwapRefusedError, match="cannot change its slots while it lives"):
        app.stage({"shop": SHOP["shop"].replace(old, new)})
    assert (shop.Item("x").price, shop.Point("1").y, shop.Square().side) == (1, 0, 2)

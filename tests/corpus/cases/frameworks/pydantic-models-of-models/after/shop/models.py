from __future__ import annotations

from pydantic import BaseModel


class Order(BaseModel):
    lines: list[Line] = []
    note: str = "-"


class Line(BaseModel):
    item: Item
    count: int = 1


class Item(BaseModel):
    name: str
    stock: int = 7

from __future__ import annotations

from pydantic import BaseModel


class Order(BaseModel):
    lines: list[Line] = []


class Line(BaseModel):
    item: Item


class Item(BaseModel):
    name: str

from typing import Generic, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class Item(BaseModel):
    name: str


class Page(BaseModel, Generic[T]):
    items: list[T]
    total: int = 0


class Items(Page[Item]):
    def names(self):
        return [item.name for item in self.items]

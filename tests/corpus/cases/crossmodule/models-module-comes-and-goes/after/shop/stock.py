from pydantic import BaseModel

from shop.models import Item


class Stock(BaseModel):
    item: Item

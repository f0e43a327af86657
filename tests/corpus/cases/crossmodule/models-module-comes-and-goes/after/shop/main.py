from shop.models import Item
from shop.stock import Stock


def shown():
    return Stock(item=Item(name="hat")).model_dump()

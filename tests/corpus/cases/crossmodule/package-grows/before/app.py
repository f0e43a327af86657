import shop
from shop import Item

ITEM = Item()


def load():
    return "nothing"

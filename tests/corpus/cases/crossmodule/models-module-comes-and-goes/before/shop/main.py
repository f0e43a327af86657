from shop.models import Item


def shown():
    return Item(name="hat").model_dump()

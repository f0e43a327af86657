from tools import counted, doubled, named


def price(amount):
    return amount


@named
@doubled
def total(amount):
    return amount


def visits(amount):
    return amount


class Shop:
    price = staticmethod(price)

    def __init__(self):
        self.on_change = price

    def sell(self, amount):
        return amount


SHOP = Shop()

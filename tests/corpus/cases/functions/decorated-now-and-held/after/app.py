from tools import counted, doubled, named


@doubled
def price(amount):
    return amount + 1


@doubled
@named
def total(amount):
    return amount + 1


@counted
def visits(amount):
    return amount + 1


class Shop:
    price = staticmethod(price)

    def __init__(self):
        self.on_change = price

    @doubled
    @named
    def sell(self, amount):
        return amount + 1


SHOP = Shop()

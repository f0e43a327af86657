from types import SimpleNamespace as NS


def before():
    from app import prices
    assert (prices.price(10), prices.Shop.fee(1)) == (20, 2)
    return NS(prices=prices, price=prices.price, connection=prices.connection())


def after(s):
    assert s.price is s.prices.price
    assert s.price(10) == 30, s.price(10)
    assert s.prices.Shop.fee(1) == 6, s.prices.Shop.fee(1)
    assert s.prices.connection() is s.connection  # nothing that it comes of has changed

def before():
    import app
    assert app.SHOP.on_change(1) == app.Shop.price(1) == 1
    return app.price, app.total, app.SHOP, app.SHOP.sell


def after(state):
    import app
    price, total, shop, sell = state
    assert app.price is price and app.total is total
    assert price(1) == app.Shop.price(1) == shop.on_change(1) == [2, 2]
    assert total(1) == [("total", 2)] * 2
    assert sell(1) == shop.sell(1) == [("sell", 2)] * 2
    assert [app.visits(1), app.visits(1)] == [(1, 2), (2, 2)]

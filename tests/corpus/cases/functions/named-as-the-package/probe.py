def before():
    import shop
    with shop.basket(1) as held:
        assert held == 1
    return shop.basket, shop.total


def after(state):
    import shop
    basket, total = state
    assert shop.basket is basket and shop.total is total
    with basket(1) as held:
        assert held == 2
    assert total(1) == 4
    assert (basket.__module__, total.__module__) == ("shop", "shop")

def before():
    import app
    assert app.load() == "nothing"
    return app.ITEM, app.load


def after(state):
    import app
    import shop
    item, load = state
    assert app.ITEM is item and isinstance(item, shop.Item)
    assert load() == (("shop.extra", "item", "shop.extra"), ("offer", "item"), 3)
    assert isinstance(app.Offer(), app.Item)

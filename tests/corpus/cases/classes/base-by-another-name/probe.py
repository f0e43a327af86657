def before():
    import app
    return app.STORE, app.SHOP, app.Store


def after(state):
    import app
    import kinds
    store, shop, cls = state
    assert app.STORE is store and app.Store is cls
    assert store.who() == "cached" and shop.who() == "shop of cached"
    assert isinstance(store, kinds.Cached) and not isinstance(shop, kinds.Plain)
    assert app.Stack.__parameters__ == (app.T,) and app.T.__bound__ is str

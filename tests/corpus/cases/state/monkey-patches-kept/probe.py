def before():
    import store
    import patches
    shop = store.Store()
    assert shop.get(1) == ("traced", ("old", 1))
    return shop, shop.get, store.fetch


def after(state):
    import store
    shop, get, fetch = state
    assert shop.get(1) == get(1) == ("traced again", ("new", 1))
    assert store.fetch() == fetch() == "fake again"
    assert store.other() == 2


def fresh():
    import store
    import patches
    assert store.Store().get(1) == ("traced again", ("new", 1))

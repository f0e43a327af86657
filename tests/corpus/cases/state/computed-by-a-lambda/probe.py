def before():
    import app
    return app.half, app.rank


def after(state):
    import app
    assert (app.half, app.rank) == state or app.half(8) == 2
    assert app.NAMES == ("b", "a", "c"), app.NAMES
    assert app.RANKED == app.BY_PRICE == (("c", 3), ("a", 2), ("b", 1)), (app.RANKED, app.BY_PRICE)
    assert app.TOP == ("b", 1) and app.SHARE == 2 and app.Page.SIZE == 20

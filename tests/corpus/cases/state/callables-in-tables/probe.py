def before():
    import app
    app.TABLE["mine"] = len
    return app.TABLE, app.LIST, app.SCALES, app.SCALES[0]


def after(state):
    import math

    import app
    table, items, scales, scale = state
    assert app.TABLE is table and app.LIST is items and app.SCALES is scales
    assert table["rounded"] is items[0] is math.ceil
    assert table["power"](2) == items[1](2) == 9
    assert table["cached"] is items[2] is app.cached and app.cached.cache_info().maxsize == 3
    assert table["mine"] is len
    assert app.scale(1) == 3 and scales == [scale], "a live object in a live list is kept"

def before():
    import app
    doubled = map(app.double, [1, 2, 3])
    assert next(doubled) == 2
    assert app.TABLE["kept"] == ["old"]
    app.LOOP["live"] = None
    return app.WEAK, app.KEY, app.TABLE, doubled, app.LOOP["+"]


def after(state):
    import app
    weak, key, table, doubled, plus = state
    assert weak()("stop") == ("new", "stop", 2)
    assert app.CALL(app.BUS) == ("new", "start", 2)
    assert sorted([1, 3, 2], key=key) == [3, 2, 1]
    assert app.TABLE is table and table["kept"] == ["old"] and table["other"] == ["new"]
    assert list(doubled) == [6, 9]
    assert plus(1) == app.LOOP["+"](1) == "+ 1"
    assert list(app.LOOP) == ["+", "*", "live"]

def before():
    import app
    assert app.first(1) == ("traced", 1)
    return app.first, app.second


def after(state):
    import app
    first, second = state
    assert first(1) == app.first(1) == ("TRACED", 2)
    assert second(1) == app.second(1) == ("TRACED", 3)

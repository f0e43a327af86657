def before():
    import app
    assert app.BUS.calls == 0
    assert [handler(3) for handler in app.BUS.handlers] == [(1, 3), (1, 3)]
    return app.paid, [*app.BUS.handlers]


def after(state):
    import app
    paid, handlers = state
    assert paid(3) == app.paid(3) == (2, 3)
    assert [handler(3) for handler in app.BUS.handlers] == [(2, 3), (1, 3)]
    assert app.BUS.handlers == handlers, "each is the one that others hold, at its place"
    assert app.BUS.calls == 6

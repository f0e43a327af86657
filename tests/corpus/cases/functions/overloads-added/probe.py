def before():
    import app
    assert app.parse(3) == 3
    return app.parse


def after(parse):
    import app
    assert app.parse(3) == (3, 10)
    assert parse is app.parse is app.HANDLERS[0]
    assert parse.__module__ == "app" and parse(4) == (4, 10)

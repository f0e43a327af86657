def before():
    import app

    assert app.get() == "get"
    return app, app.get


def after(state):
    app, get = state
    assert app.get is get, "the name is gone or is another function"
    assert get() == "got"

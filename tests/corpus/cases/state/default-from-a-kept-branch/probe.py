def before():
    import app
    assert app.show("a") == "* a"
    return app.Printer


def after(state):
    import app
    assert app.Printer is state
    assert app.default is app.fancy
    assert app.Printer().shown is app.fancy and app.Printer().color is None
    assert app.show("a") == "# a"

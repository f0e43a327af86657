def before():
    import app
    assert list(app.Base.known) == ["A", "B"]
    return app, app.A


def after(state):
    app, cls = state
    assert app.Base.known == {"A": cls}, app.Base.known


def fresh():
    import app
    assert app.Base.known == {"A": app.A}

def before():
    import app
    assert app.X == [0, 2, 4]
    app.X.append("mine")
    return app, app.X


def after(state):
    app, held = state
    assert app.X is held, "the list lost its identity"
    assert app.X == [0, 4, 8, "mine"], app.X


def fresh():
    import app
    assert app.X == [0, 4, 8]

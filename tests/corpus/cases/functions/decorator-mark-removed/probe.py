def before():
    import app
    assert app.commands() == []
    return app, app.sweep


def after(state):
    app, sweep = state
    assert app.sweep is sweep
    assert app.commands() == ["sweep"]

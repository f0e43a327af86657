def before():
    import app
    return app, app.HOOKS, app.on_start


def after(state):
    app, hooks, on_start = state
    assert app.HOOKS is hooks
    assert app.on_start is on_start
    assert hooks == [on_start, "more", "last"], hooks
    assert on_start() == "new"

def before():
    import app
    app.CHOSEN = 7
    return app, app.fetch


def after(state):
    app, fetch = state
    assert app.fetch is fetch and fetch() == 3
    assert (app.RETRIES, app.PATIENCE, app.CHOSEN) == (3, 30, 7)

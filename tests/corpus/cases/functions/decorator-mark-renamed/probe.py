def before():
    import app
    assert app.run(app.sweep) == "swept"
    return app, app.sweep


def after(state):
    app, sweep = state
    assert app.sweep is sweep
    assert vars(sweep) == {"needs_nothing": True}
    assert app.run(sweep) == "swept clean"

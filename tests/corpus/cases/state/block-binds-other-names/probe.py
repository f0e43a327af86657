def before():
    import app
    assert app.f() == 1
    return app, app.f


def after(state):
    app, f = state
    assert app.f is f and f() == 2, "the function lost its identity"
    assert app.flag == 1
    left = {"math", "only_old", "flag2"} & vars(app).keys()
    assert not left, f"bound by the old branches alone: {left}"

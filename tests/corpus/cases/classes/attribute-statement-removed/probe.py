def before():
    import app
    assert app.C.late == 3 and not hasattr(app.C, "b")
    return app, app.C


def after(state):
    app, cls = state
    assert app.C is cls
    assert not hasattr(cls, "late") and cls.b == 2

def before():
    import app
    assert app.PATH.endswith("b")
    return app


def after(app):
    assert app.ROOT[1] == 1, app.ROOT
    assert not hasattr(app, "_os")
    assert not hasattr(app, "_parts")

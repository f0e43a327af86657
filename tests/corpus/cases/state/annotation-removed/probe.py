def before():
    import app
    assert list(app.__annotations__) == ["x", "y"]
    return app


def after(app):
    assert list(app.__annotations__) == ["x2"], app.__annotations__
    assert (app.x2, app.y) == (1, 2) and not hasattr(app, "x")

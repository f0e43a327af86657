def before():
    import app
    assert app.absolute_import
    return app


def after(app):
    assert app.x == 1 and not hasattr(app, "absolute_import")

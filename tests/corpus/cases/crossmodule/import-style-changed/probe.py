def before():
    import app.web
    assert list(app.sub.HANDLERS) == ["old"]
    return app


def after(app):
    assert app.LIMIT == 3
    assert app.sub.HANDLERS == {"new": app.web.handle}, app.sub.HANDLERS
    assert app.on is app.sub.on

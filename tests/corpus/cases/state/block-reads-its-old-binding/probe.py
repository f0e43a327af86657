def before():
    import app
    assert app.Group.__bases__ == (Exception,)
    return app


def after(app):
    assert app.Group.__bases__ == (ExceptionGroup,), "the block saw what its old form had bound"

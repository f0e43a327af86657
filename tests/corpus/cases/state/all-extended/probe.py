def before():
    import app
    assert app.__all__ == ["a", "b"]
    return app


def after(app):
    assert app.__all__ == ["a", "b", "c"], app.__all__

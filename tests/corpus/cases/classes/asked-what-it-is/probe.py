def before():
    import app
    assert issubclass(app.Box, app.Sized) and not isinstance(app.Bag(), app.Sized)
    return app.Sized


def after(sized):
    import app
    assert app.Sized is sized
    assert isinstance(app.Bag(), sized) and not issubclass(app.Box, sized)
    assert isinstance(1, sized)

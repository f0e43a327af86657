def before():
    import app
    return app.level


def after(level):
    import app
    assert app.level is level and level() == 2
    assert app.CACHE == {"new": 2}

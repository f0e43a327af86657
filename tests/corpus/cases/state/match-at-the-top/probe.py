def before():
    import app
    assert (app.LIMIT, app.run(), app.FAILED) == (10, "fast", 1)
    return app.run


def after(run):
    import app
    assert (app.LIMIT, app.run(), run()) == (1, "slow", "slow")
    assert (app.FAILED, app.KIND) == (2, "types")
    assert not hasattr(app, "group")

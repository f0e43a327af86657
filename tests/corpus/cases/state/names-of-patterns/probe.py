def before():
    import app
    assert app.run() == "slow" and app.LIMIT == 1
    return app.run


def after(run):
    import app
    assert (app.head, app.tail, app.uno, app.final) == (1, [2, 3], 1, 3)
    left = [name for name in ("first", "others", "one", "more", "last") if hasattr(app, name)]
    assert not left, f"still bound: {left}"
    assert app.run is run and run() == "fast" and not hasattr(app, "ONLY_SLOW")
    assert app.LIMIT == 10

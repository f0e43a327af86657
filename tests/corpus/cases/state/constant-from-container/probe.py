def before():
    import app
    import settings
    settings.SEEN.append("one")
    app.ALLOWED = frozenset({"a", "set by hand"})
    return app.wait


def after(wait):
    import app
    assert app.TIMEOUT == 60 and app.HOST == "two" and app.URL == "db://two:5433/"
    assert app.COUNT == 3 and app.LINE == "a, b, c"
    assert app.wait is wait and wait() == 30
    assert app.Pool.default == "tiny" and app.Pool.size == 3
    assert app.ALLOWED == frozenset({"a", "set by hand"}), "a value that the process set"
    assert app.WAS_SEEN == 0, "the list was not what the statement had read any more"

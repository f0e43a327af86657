def before():
    import app

    assert app.one.kind == app.two.kind == "plain" and app.one.is_marked
    app.two.hits = 5
    return app, app.one


def after(state):
    app, one = state
    assert app.one() == one() == 1
    for function in (app.one, app.one.__wrapped__, app.two):
        assert not hasattr(function, "kind") and not hasattr(function, "is_marked"), vars(function)
    assert (app.two.title, app.two.hits) == ("Two", 5), "what others set is gone"
    assert (app.three.kind, app.three.is_marked) == ("other", True)

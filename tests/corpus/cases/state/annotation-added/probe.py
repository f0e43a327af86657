from types import SimpleNamespace as NS


def before():
    import app
    app.size = 7
    return NS(app=app, pool=app.pool)


def after(s):
    app = s.app
    assert app.pool is s.pool and app.Pool.made == 1, "a live object was made again"
    assert (app.first, app.size, app.gone, app.same) == ("used", 7, 2, 3), "state was lost"
    assert app.__annotations__ == {"first": str | None, "pool": app.Pool, "size": float, "same": int}
    assert list(app.__annotations__) == ["first", "pool", "size", "same"]

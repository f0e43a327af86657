def before():
    import app
    assert app.search("", 1) == (10, 2)
    return app.search, app.Client().query, app.search.__defaults__[1], app.Query.made


def after(state):
    import app
    search, query, on, made = state
    assert app.search is search and search("", 1) == (500, 3), search("", 1)
    client = app.Client()
    assert (client.size, client.top) == (500, 500)
    assert search.__annotations__["kind"] is float
    if app.Query.made == made:  # no call is made again
        assert client.query is query and search.__defaults__[1] is on

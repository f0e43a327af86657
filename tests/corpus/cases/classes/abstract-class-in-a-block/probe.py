def before():
    import app

    assert app.live.first() == 1 and app.Text().load() == "text"
    assert issubclass(app.Number, app.Field)
    return app, app.Table, app.Field


def after(state):
    app, table, field = state
    assert app.Table is table and app.Field is field, "a class lost its identity"
    assert app.Settings.__mro__[1] is table
    assert app.live.first() == 2
    assert app.live | {"b": 2} == {"a": 1, "b": 2}
    assert issubclass(app.Number, field), "a class that was registered is gone"
    try:
        app.Text()
    except TypeError:
        pass
    else:
        raise AssertionError("it lacks what is abstract now")

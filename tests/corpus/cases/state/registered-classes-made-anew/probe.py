def before():
    import app
    tables = app.plugins
    assert (tables.HOOKED, tables.MADE, tables.NAMED) == ({"Csv": app.Csv}, {"Json": app.Json}, {"text": app.Text})
    return app.Csv, app.Json, app.Text


def after(state):
    import app
    tables = app.plugins
    assert (app.Csv, app.Json, app.Text) == state
    assert tables.HOOKED == {"none": None, "Csv": app.Csv}
    assert tables.MADE == {"none": None, "Json": app.Json}
    assert tables.NAMED == {"none": None, "text": app.Text}
    assert [type(item) for item in app.OPEN] == [*state]

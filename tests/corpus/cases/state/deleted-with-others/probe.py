def before():
    import app
    app.NAMES.append("late")
    return app, app.NAMES


def after(state):
    app, names = state
    assert app.NAMES is names and names == ["main", "A", "B", "late"]
    assert not {"letter", "string"} & vars(app).keys()

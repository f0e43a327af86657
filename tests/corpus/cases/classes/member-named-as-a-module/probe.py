def before():
    import app

    assert app.live.re.pattern == "a"
    return app, app.live


def after(state):
    app, live = state
    assert live.re.pattern == "b"
    assert app.Word.re.fget.__annotations__ == {"return": app.re.Pattern}

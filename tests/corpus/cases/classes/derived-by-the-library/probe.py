def before():
    import app
    assert app.TEXT.substitute(name="Ana") == "Ana $name"
    return app.Greeting, app.TEXT


def after(state):
    import app
    cls, text = state
    assert app.Greeting is cls and app.TEXT is text
    assert text.substitute(name="Ana") == "%name Ana"
    assert text.loud(name="Ana") == "%NAME ANA"

def before():
    import app
    assert app.shown(1) == ("number", 1)
    assert app.shown("a") == ("text", "a")
    return app.shown


def after(state):
    import app
    from dispatch import TABLE
    assert [kind for _, kind in TABLE] == [int, str]
    for shown in (app.shown, state):
        assert shown(1) == ("number", 1, 8)
        assert shown("a") == ("text", "a", 8)
    assert app.shown is state

def before():
    import app

    assert app.Code(200) is app.Code.OK
    return app, app.Code, app.Code.OK


def after(state):
    app, code, ok = state
    assert app.Code is code and code.OK is ok
    assert code(200) is ok and code(410).phrase == "gone", "members are looked up no more"
    try:
        code(500)
    except ValueError:
        pass
    else:
        raise AssertionError("a member was made by looking it up")

def before():
    import app
    app.P.x = 7
    return app, app.f, app.P


def after(state):
    app, f, cls = state
    assert app.f is f and app.P is cls, "identity lost"
    assert f.__annotations__ == {"a": "int", "return": "str"}
    assert cls.__annotations__ == {"x": "int"} and cls.get.__annotations__ == {"return": "int"}
    assert app.annotations.compiler_flag, "the name that the import binds is missing"


def fresh():
    import app
    assert app.f.__annotations__ == {"a": "int", "return": "str"}

def before():
    import app

    assert app.price("x") == 3
    return app, app.price


def after(state):
    app, price = state
    assert app.price is price and price("x") == 4
    assert price.__annotations__ == {"item": str, "return": int}, price.__annotations__
    assert app.bare.__annotations__ == {} and app.bare.__doc__ is None

def before():
    import app
    assert app.price(1) == 20
    return app.price


def after(price):
    import app
    assert app.rate() == 3
    assert price(1) == 30

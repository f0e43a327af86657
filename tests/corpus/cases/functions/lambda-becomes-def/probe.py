import inspect


def before():
    import app
    import other
    rates = app.Rates()
    return app, other, app.quick, app.slow, rates, rates.half, rates.double


def after(state):
    import app as now
    app, other, quick, slow, rates, half, double = state
    assert app.quick(1) == app.slow(1) == ("new", 1)
    assert app.BUTTON.on_click(1) == ("new", 1), "an attribute that was set once"
    assert app.TABLE["quick"](1) == app.TABLE["slow"](1) == ("new", 1)
    assert other.later() == other.LATER[0](1) == other.quick(1) == other.slow(1) == ("new", 1)
    assert quick(1, times=3) == ("new", 3) and slow(1) == ("new", 1), "a reference kept elsewhere"
    assert now.quick is quick and now.slow is slow
    assert half(1) == double(1) == rates.half(1) == rates.double(1) == ("new", 1)
    assert quick.__name__ == "quick" and slow.__name__ == "<lambda>" and quick.__doc__ == "Quick no more."
    assert str(inspect.signature(quick)) == "(x, times=1)"
    assert "Quick no more" in inspect.getsource(quick)

import typing


def kept_by_typing():
    function = typing.overload(lambda: None)
    return function, function.__code__, function.__globals__, function.__name__


def before():
    import app
    assert app.size([1, 2]) == 2
    assert app.first([1, 2]) == (1, app.first)
    return app.size, app.first, kept_by_typing()


def after(state):
    import app
    size, first, typings = state
    assert kept_by_typing() == typings
    assert app.size is size is app.TABLE["size"]
    assert app.first is first is app.TABLE["first"]
    assert size([1, 2]) == 3
    assert first([1, (2, 3)]) == ((3, first), first)

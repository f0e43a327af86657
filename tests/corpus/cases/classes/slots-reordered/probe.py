import copy
import pickle


def before():
    import app
    return app.Point, app.Point(1, 2)


def after(state):
    import app
    cls, point = state
    assert app.Point is cls and type(point) is cls
    assert (point.x, point.y) == (1, 2) and point.shown() == (2, 1)
    assert app.Point.__slots__ == ["y", "x"]
    assert copy.copy(point).shown() == pickle.loads(pickle.dumps(point)).shown() == (2, 1)

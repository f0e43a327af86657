def before():
    from lib import compat
    assert compat.b() == 2
    return compat, compat.a


def after(state):
    compat, a = state
    assert compat.a is a and a() == 1
    assert not hasattr(compat, "b"), "bound by the star alone"

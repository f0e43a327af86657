def before():
    from app import level
    return level.Level, level.Level.HIGH


def after(state):
    from app import level
    cls, high = state
    assert level.Level is cls
    assert cls.HIGH is high
    assert high + 1 == 3
    assert cls(2) is high

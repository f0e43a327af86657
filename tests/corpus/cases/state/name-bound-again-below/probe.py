from types import SimpleNamespace as NS


def before():
    from app import names
    assert names.PAIR == names.MADE == ("two", 3)
    return NS(names=names)


def after(s):
    assert s.names.start is None
    assert s.names.PAIR == ("two", 3), s.names.PAIR
    assert s.names.MADE == ("two", 3), s.names.MADE

from types import SimpleNamespace as NS


def before():
    from app import shop
    made = shop.Shop()
    del made.size
    return NS(made=made)


def after(s):
    s.made.size = 3
    assert s.made.got == 3 and s.made.size == 1
    try:
        del s.made.size
    except AttributeError:
        return
    raise AssertionError("the deleter is still there")

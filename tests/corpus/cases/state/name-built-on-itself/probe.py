from types import SimpleNamespace as NS


def before():
    from app import sizes
    assert (sizes.SIZES, sizes.COUNT, sizes.size()) == ((2, 2, 2, 2), 4, 10)
    return NS(sizes=sizes)


def after(s):
    assert s.sizes.SIZES == (2, 2, 2), s.sizes.SIZES
    assert s.sizes.COUNT == 3, s.sizes.COUNT
    assert s.sizes.size() == 100, s.sizes.size()

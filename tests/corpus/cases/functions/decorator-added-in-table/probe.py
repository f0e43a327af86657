from types import SimpleNamespace

import filters


def before():
    assert filters.FILTERS["unique"]([2, 1, 2]) == [2, 1]
    return SimpleNamespace(table=filters.FILTERS)


def after(state):
    assert filters.unique([2, 1, 2]) == [1, 2]
    assert filters.FILTERS is state.table
    assert filters.FILTERS["unique"]([2, 1, 2]) == [1, 2]
    assert filters.FILTERS["unique"] is filters.unique

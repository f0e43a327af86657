import collections


def before():
    from app import rows
    return rows.Row, rows.Point, [rows.Row("a", 1)]


def after(state):
    from app import rows
    row, point, held = state
    assert (rows.Row, rows.Point) == (row, point)
    assert (held[0].key, held[0].count, held[0].unit) == ("a", 1, "kg")
    assert held[0]._asdict() in ({"key": "a", "count": 1, "unit": "kg"}, {"key": "a", "count": 1})
    assert row("b", 2, "g").unit == "g"
    made = point("home", 3)
    assert (made.name, made.x, point._fields) == ("home", 3, ("name", "x"))
    assert not hasattr(point, "y")
    assert type(vars(point)["x"]) is type(vars(collections.namedtuple("n", "x"))["x"])

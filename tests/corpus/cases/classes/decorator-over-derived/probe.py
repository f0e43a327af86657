from types import SimpleNamespace as NS


def before():
    from app import shapes
    assert repr(shapes.Point()) == "<Point>"
    return NS(shapes=shapes, point=shapes.Point, line=shapes.Line())


def after(s):
    assert s.shapes.Point is s.point
    assert s.point() == (1, 2) and repr(s.point()) == "<Point>", repr(s.point())
    assert s.line.width == 3 and repr(s.line) == "<Line>", repr(s.line)

def before():
    import shop

    orders = {shop.Order(1): "one"} if shop.Order.__hash__ else {}
    return {"item": shop.Item(), "orders": orders, "line": shop.Line(3)}


def after(state):
    import shop

    assert repr(state["item"]) == "<pen>" and repr(shop.Item(price=3)) == "<pen>", "the decorator's method is gone"
    assert shop.Item(price=3).price == 3
    assert shop.Order.kind == "order"
    assert shop.Order(2) == shop.Order(2)
    assert hash(next(iter(state["orders"]))) is not None, "the class can be hashed no more"
    assert state["line"] == shop.Line(3), "what a later statement added to the class is gone"
    assert shop.Line.__slots__ == ("count", "code") and hash(shop.Line(1))

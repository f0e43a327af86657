def before():
    import app, orders
    return app.Item, orders.Order, orders.Gift


def after(state):
    item, order, gift = state
    assert item.__annotations__ == {"name": bytes, "price": int}
    assert order.__annotations__ == {"name": bytes, "price": int, "count": int}
    assert list(gift.__annotations__) == ["name", "price", "count", "card"]
    assert gift.__required_keys__ == {"name", "price", "count"} and gift.__optional_keys__ == {"card"}

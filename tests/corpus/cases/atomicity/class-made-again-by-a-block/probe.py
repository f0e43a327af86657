def before():
    import shop

    return {"base": shop.P, "heir": shop.Q}


def after(state):
    import shop

    assert issubclass(state["heir"], shop.P) and isinstance(shop.HELD[0], shop.P)
    assert all(isinstance(item, shop.P) for item in shop.HELD) and type(shop.Q) is shop.Meta
    assert shop.HELD[0].go() == shop.P().go()

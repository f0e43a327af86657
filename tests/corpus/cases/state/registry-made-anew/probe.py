NAMES = ["buy", "sell", "open", "quit", "leave", "other"]


def before():
    import app
    assert sorted(app.bus.BUS.handlers) == sorted("!" + name for name in NAMES)
    assert app.bus.CHECKS == [app.shop.size]
    return {name[1:]: function for name, function in app.bus.BUS.handlers.items()}


def after(state):
    import app
    handlers = {name[1:]: function for name, function in app.bus.BUS.handlers.items()}
    assert sorted(app.bus.BUS.handlers) == sorted("?" + name for name in NAMES)
    assert handlers == state, "they are the ones that others hold"
    assert app.handle("?buy", 1) == ("log", 1)
    assert app.bus.CHECKS == [len, app.shop.size]
    assert app.shop.BUS is app.bus.BUS
    assert app.bus.SEEN == {"imports": 1}, "nothing else ran again"

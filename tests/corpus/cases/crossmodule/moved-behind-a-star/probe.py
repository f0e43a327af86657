from types import SimpleNamespace as NS


def before():
    from app import low, web
    assert not hasattr(low, "Item")
    return NS(low=low, web=web)


def after(s):
    assert s.web.Item is s.low.Item
    assert s.web.Item.__module__ == "app.low"

def calls(event):
    from app.bus import TABLE
    return [entry["call"]() for entry in TABLE.get(event, [])]


def before():
    import app.handlers
    assert calls("paid") == ["first", "second"]


def fresh():
    import app.handlers
    after(None)


def after(state):
    assert calls("sent") == ["first"]
    assert calls("paid") == ["second"], "the handler is still called for its old event"

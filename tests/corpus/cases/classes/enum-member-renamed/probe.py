import pickle


def before():
    import app
    order = app.ORDER
    return order, order.status, order.kind, order.rights


def after(state):
    import app
    order, status, kind, rights = state
    assert app.ORDER is order and order.is_open()
    assert order.status is status is app.Status.WAITING is app.Status(1) and status.name == "WAITING"
    assert kind is app.Kind.LITTLE and kind == "s"
    assert rights is app.Right.ALL is app.Right(3) and rights == app.Right.READ | app.Right.WRITE
    assert rights.name == "ALL"
    assert not hasattr(app.Status, "OPEN") and [m.name for m in app.Status] == ["WAITING", "DONE", "LATE"]
    assert pickle.loads(pickle.dumps(status)) is status
    assert order.old.name == "GONE" and order.old not in list(app.Status), "whose value is no more stays what it was"

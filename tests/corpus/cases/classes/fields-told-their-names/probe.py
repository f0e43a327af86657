def before():
    import app
    vars(app.ORDER)["due"] = "tomorrow"
    return app.ORDER, vars(app.Order)["due"]


def after(state):
    import app
    order, due = state
    assert app.ORDER is order and vars(app.Order).get("due").name == "due"
    assert order.columns() == ["due", "number", "total"], order.columns()
    assert (order.number, order.total, order.due) == ("bigint", "decimal", "tomorrow")
    assert not hasattr(order, "note")
    assert [field.name for field in app.Order.order] == ["number", "due", "total"]
    assert [field.name for _, field in app.EVERY] == ["number", "due", "total"]
    assert app.Order.fields["number"].kind == "bigint"
    assert vars(app.Order)["due"] is due, "a field that did not change"

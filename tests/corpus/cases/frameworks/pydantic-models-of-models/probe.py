from types import SimpleNamespace as NS

SENT = {"lines": [{"item": {"name": "hat"}}]}


def before():
    from shop.models import Order

    order = Order.model_validate(SENT)
    assert order.model_dump() == SENT
    return NS(Order=Order, order=order)


def after(s):
    made = s.Order.model_validate(SENT)
    assert made.model_dump() == {"lines": [{"item": {"name": "hat", "stock": 7}, "count": 1}], "note": "-"}
    assert s.Order.model_json_schema()["$defs"]["Item"]["properties"]["stock"]["default"] == 7
    assert type(s.order) is s.Order and s.order.lines[0].item.name == "hat"

import inspect
import typing


def before():
    import app
    return app.price, app.Shop().sell


def after(state):
    import app
    price, sell = state
    assert str(inspect.signature(price)) == (
        "(amount: int, /, rate: 'str' = 3, *more, fee=4, kind: list[int] | None = None, **rest) -> dict"
    )
    assert (price.__doc__, sell.__doc__) == ("Second.", "Sells later.")
    assert inspect.iscoroutinefunction(sell)
    assert typing.get_type_hints(app.Shop.sell) == {"item": str, "shop": app.Shop, "return": bytes}

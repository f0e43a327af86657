def _answers():
    from shop.main import app

    client = app.test_client()
    paths = ("/seen", "/cart/items/a", "/cart/items/all/b", "/sale/x", "/cart/nowhere")
    return [client.get(path).text.partition("<")[0] for path in paths]


def before():
    answers = _answers()
    assert answers == ["first,last", "item a", "all b", "any x", ""], answers
    from shop.main import app

    return app


def after(state):
    from shop.main import app

    assert app is state or state is None
    answers = _answers()
    assert answers == ["first,cart,last", "item a", "item all/b", "sale x", ""], answers
    assert list(app.view_functions) == ["static", "cart.item", "cart.everything", "promos.sale", "seen", "any_sale"]
    assert [function.__name__ for function in app.before_request_funcs[None]] == ["first", "note", "last"]
    assert "cart" not in app.error_handler_spec or not any(app.error_handler_spec["cart"].values())

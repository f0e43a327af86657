def before():
    import app
    form = app.Address({"name": "abcd"})
    assert not form.is_valid()
    return app.Address, app.Address({"name": "ab"})


def after(state):
    import app
    address, opened = state
    assert app.Address is address
    assert list(app.Address().fields) == ["age", "name"]
    assert list(app.Order().fields) == ["age", "name", "amount"]
    form = app.Order({"name": "abcd", "age": "7", "amount": "2"})
    assert form.is_valid(), form.errors
    assert form.cleaned_data == {"name": "abcd!", "age": 7, "amount": 2}
    assert opened.is_valid() and opened.cleaned_data["name"] == "ab!"

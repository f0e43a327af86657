def before():
    import app
    return app.Items, app.Page[app.Item]


def after(state):
    import app
    items, page = state
    assert app.Items is items
    for kind in (items, page, app.Page[int]):
        made = kind(items=[])
        assert (made.total, made.following) == (-1, None), kind
    assert items(items=[{"name": "tea"}], following="x").names() == ["tea"]
    assert page(items=[{"name": "tea"}]).items[0].name == "tea"

def before():
    import app
    import other
    app.SEEN.append(1)
    return app.MODEL, app.get_a, app.MODEL.get_id


def after(state):
    import app
    import other
    model, get_a, get_id = state
    assert app.SEEN == [1] and app.MODEL is model
    assert app.get_a() == get_a() == other.get_a() == other.HELD[0]() == "A"
    assert app.get_c() == "C" and not hasattr(app, "get_b")
    assert app.LEVEL == 2 and not hasattr(app, "GONE")
    assert app.show_x() == "xx" and app.show_z() == "zz" and not hasattr(app, "show_y")
    assert model.get_id() == get_id() == "ID" and model.get_email() == "EMAIL"
    assert not hasattr(model, "get_name")
    assert model.level == 2 and not hasattr(model, "gone")

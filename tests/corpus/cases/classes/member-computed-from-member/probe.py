def before():
    import app
    one = app.C()
    assert one.get() == (1, 2)
    return one


def after(one):
    assert one.get() == ("x", 2), one.get()

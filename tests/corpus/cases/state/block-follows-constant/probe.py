def before():
    import app
    page = app.Page()
    assert (app.render("x"), page.title()) == ("x", "page")
    return app, app.render, page


def after(state):
    app, render, page = state
    assert app.render is render
    assert render("x") == "<'x'>", render("x")
    assert page.title() == "debug", page.title()

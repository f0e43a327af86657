def before():
    import app
    import other
    return app.user, app.request, app.View(), app.ASKED, other


def after(state):
    import app
    user, request, view, asked, other = state
    assert app.ASKED is asked, "the list was made again"
    assert asked == [], f"the proxies were asked: {asked}"
    assert app.user is user and app.request is request
    assert view.get() == view.post() == app.show() == "new" and view.pages == 3
    assert other.TWICE == 4 and app.DOUBLE == 4
    assert asked == [], asked

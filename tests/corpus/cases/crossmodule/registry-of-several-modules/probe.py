def before():
    import app
    import users
    import fallback
    assert app.paths() == ["/users", "/users/me", "/{anything}"]
    return users.users, fallback.anything


def after(state):
    import app
    users, anything = state
    assert app.paths() == ["/people", "/people/new", "/people/me", "/{anything}"], app.paths()
    assert app.ROUTES[0]["handler"] is users and users() == "people"
    assert app.ROUTES[2]["name"] == "myself"
    assert app.ROUTES[3]["handler"] is anything


def fresh():
    import app
    import users
    import fallback
    assert app.paths() == ["/people", "/people/new", "/people/me", "/{anything}"]

def before():
    import app
    return app.ACCOUNTS


def after(accounts):
    import app
    assert app.ACCOUNTS is accounts
    assert vars(accounts[0]) == {"money": (100, "EUR")}
    assert vars(accounts[1]) == {"money": (200, "EUR"), "percent": 2}

def before():
    import app
    return app.go


def after(go):
    import tools
    assert go("x") == ("old", "old"), "half of it was applied"
    assert tools.shorten("x") == "old"

def before():
    import app
    return app.go


def after(go):
    import sys
    assert go() == ("old", 1), go()
    assert "legacy" in sys.modules

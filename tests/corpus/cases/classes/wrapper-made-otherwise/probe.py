def before():
    import app
    assert app.REPORT.show() == ("old", "report")
    return app.REPORT, app.REPORT.show


def after(state):
    import app
    report, show = state
    assert app.REPORT is report
    assert isinstance(report, app.Report)
    assert report.show() == show() == app.Report().show() == ("new", "report of today")

def before():
    import app
    assert app.Jobs.sweep.hour == 3 and app.report.listed and app.Mail.listed
    return app, app.Jobs.sweep, app.report, app.Mail


def after(state):
    app, sweep, report, mail = state
    assert (app.Jobs.sweep, app.report, app.Mail) == (sweep, report, mail)
    assert app.Jobs().sweep() == 2 and report() == 2
    assert vars(sweep) == vars(report) == {}
    assert not hasattr(mail, "listed")

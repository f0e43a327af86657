def before():
    import app
    assert app.MAIL.send() == "mail"
    return app.MAIL, app.Mail


def after(state):
    import app
    mail, cls = state
    assert mail.send() == "POST"
    assert app.PLUGINS == {"post": cls} and app.Mail is cls

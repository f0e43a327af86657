def before():
    import app
    assert app.USERS.fire("deleted") == "gone"
    return app.USERS, app.Users, app.Later(), app.Shell


def after(state):
    import app
    users, cls, later, shell = state
    assert app.USERS is users and app.Users is cls
    assert sorted(users.handlers) == ["created", "renamed"], users.handlers
    assert users.fire("created") == "second" and users.fire("renamed") == "other name"
    assert later.fire("late") == "late"
    assert shell.commands == ["do_start", "do_stop"]
    assert [shell.table[name](shell()) for name in shell.commands] == ["started", "stopped"]
    assert app.Handler.known == [cls, app.Between, app.Later], app.Handler.known

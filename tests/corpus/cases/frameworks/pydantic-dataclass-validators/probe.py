def before():
    import app
    ana = app.Person("Ana", 5)
    assert (ana.name, ana.age) == ("ana", 5)
    return app.Person, ana


def after(state):
    import app
    person, ana = state
    assert app.Person is person and type(ana) is person and (ana.name, ana.age) == ("ana", 5)
    for cls in (app.Person, app.Author):
        bob = cls("Bob", 5)
        assert (bob.name, bob.age) == ("bob.", 15), cls
        assert cls("Eve").age == 2

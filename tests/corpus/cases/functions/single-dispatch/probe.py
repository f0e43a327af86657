def before():
    import app
    printer = app.Printer()
    values = (1, "a", [], b"")
    assert [app.show(v) for v in values] == ["int", "str", "any", "any"]
    assert [printer.show(v) for v in values] == ["int", "str", "any", "bytes"]
    return app.show, printer, values


def after(state):
    import app
    show, printer, values = state
    assert app.show is show
    assert [show(v) for v in values] == ["new int", "any", "list", "any"], [show(v) for v in values]
    assert [printer.show(v) for v in values] == ["new int", "any", "list", "any"], [printer.show(v) for v in values]
    assert set(show.registry) == {object, int, list}

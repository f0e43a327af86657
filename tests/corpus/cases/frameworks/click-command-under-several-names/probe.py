def before():
    import cli
    return cli.run

def after(run):
    import cli
    assert cli.run is run
    assert list(cli.main.commands) == ["a", "c", "other"], cli.main.commands
    assert cli.main.commands["c"] is cli.run is cli.main.commands["a"]

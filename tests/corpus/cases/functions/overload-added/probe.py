from types import SimpleNamespace as NS


def before():
    from app import commands
    assert commands.command(1) == ("old", 1)
    return NS(m=commands, command=commands.command)


def after(s):
    assert s.m.command(1) == ("new", 1)
    assert s.m.command is s.command, "another function object"

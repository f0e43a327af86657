from types import SimpleNamespace as NS


def before():
    from shop import main

    assert main.shown()["roll"] == "Rolls a dice.\n\nSix sides."
    return NS(shown=main.shown, made=dict(main.COMMANDS), commands=main.COMMANDS)


def step(i, name, s):
    what = "die" if name == "after" else "dice"
    assert s.shown() == {"roll": f"Rolls a {what}.\n\nSix sides.", "wait": "wait"}, f"swap {i}"
    assert s.commands == s.made


def after(s):
    step(2, "after", s)

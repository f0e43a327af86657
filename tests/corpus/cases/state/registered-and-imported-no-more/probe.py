from types import SimpleNamespace as NS


def before():
    from shop import main

    assert main.answer("/old") == "old"
    return NS(answer=main.answer)


def step(i, name, s):
    assert s.answer("/old") == ("old" if name == "before" else 404), f"swap {i}"


def after(s):
    step(2, "after", s)


def fresh():
    from shop import main, registry

    assert main.answer("/old") == 404 and not registry.ROUTES

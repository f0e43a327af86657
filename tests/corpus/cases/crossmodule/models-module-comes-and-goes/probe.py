import sys
from types import SimpleNamespace as NS


def before():
    from shop import main

    assert main.shown() == {"name": "hat"}
    return NS(shown=main.shown)


def step(i, name, s):
    if name == "after":
        assert s.shown() == {"item": {"name": "hat", "left": 3}}
    else:
        assert s.shown() == {"name": "hat"}
        assert "shop.stock" not in sys.modules


def after(s):
    step(2, "after", s)


def fresh():
    from shop import main

    assert main.shown() == {"item": {"name": "hat", "left": 3}}

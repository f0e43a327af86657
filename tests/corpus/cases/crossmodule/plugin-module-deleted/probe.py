import sys
from types import SimpleNamespace as NS


def before():
    from shop import main, registry

    assert list(registry.COMMANDS) == ["ping", "quote", "q"]
    return NS(start=registry.start, registry=registry, quote=registry.COMMANDS["quote"], karma=main.basic.Karma)


def step(i, name, s):
    there = name == "before"
    assert set(s.registry.COMMANDS) == ({"ping", "quote", "q"} if there else {"ping"}), f"swap {i}"
    assert s.start() == (["hello", "HELLO"] if there else ["hello"]), f"swap {i}"
    assert [cls.__name__ for cls in s.registry.PLUGINS] == (["Karma", "Trivia"] if there else ["Karma"]), f"swap {i}"
    assert ("shop.extra" in sys.modules) is there
    assert s.quote() == "to be or not", "who holds it goes on"


def after(s):
    step(2, "after", s)
    assert s.registry.PLUGINS == [s.karma]


def fresh():
    from shop import main, registry

    assert registry.start() == ["hello"] and list(registry.COMMANDS) == ["ping"]

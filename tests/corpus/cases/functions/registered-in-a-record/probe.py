from types import SimpleNamespace as NS


def before():
    from shop import main

    assert main.COMMANDS["ping"].handler is main.ping
    return NS(main=main, held=main.ping)


def step(i, name, s):
    expected = ["logged", "pong"] if name == "after" else "pong"
    found = s.main.COMMANDS["ping"].handler
    assert found() == expected and s.main.ping() == expected and s.held() == expected, f"swap {i}"
    assert found is s.main.ping, f"swap {i}: the command is another object than the function"


def after(s):
    step(2, "after", s)


def fresh():
    from shop import main

    after(NS(main=main, held=main.ping))

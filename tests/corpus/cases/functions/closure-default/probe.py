def before():
    from app import retry
    assert retry.ping() == ["pong"]
    return retry.ping


def after(ping):
    assert ping() == ["pong", "pong"]
    assert ping.__annotations__ == {"times": "int | None"}
    assert ping.__kwdefaults__["unit"] == "s"
    assert ping.__kwdefaults__["seen"] == [1, 2], "what the closure gathered is lost"

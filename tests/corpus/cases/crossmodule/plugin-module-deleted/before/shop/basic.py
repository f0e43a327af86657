from shop.registry import Plugin, command, on


@command
def ping():
    return "pong"


@on("start")
def greet():
    return "hello"


class Karma(Plugin):
    pass

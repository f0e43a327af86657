from shop.registry import COMMANDS, Plugin, command, on


@command
def quote():
    return "to be or not"


@on("start")
def shout():
    return "HELLO"


class Trivia(Plugin):
    pass


COMMANDS["q"] = quote

import inspect

COMMANDS = {}


class Command:
    def __init__(self, handler):
        self.handler = handler
        self.name = handler.__name__
        self.help = inspect.getdoc(handler) or ""


def command(function):
    COMMANDS[function.__name__] = Command(function)
    return function


@command
def roll():
    """Rolls a dice.

    Six sides.
    """


@command
def wait():
    """wait"""


def shown():
    return {made.name: made.help for made in COMMANDS.values()}

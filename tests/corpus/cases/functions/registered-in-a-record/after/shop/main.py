import functools

COMMANDS = {}


class Command:
    def __init__(self, handler):
        self.handler = handler


def command(function):
    COMMANDS[function.__name__] = Command(function)
    return function


def logged(function):
    @functools.wraps(function)
    def wrapper(*args):
        return ["logged", function(*args)]

    return wrapper


@command
@logged
def ping():
    return "pong"

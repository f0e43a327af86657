COMMANDS = {}
LISTENERS = {}
PLUGINS = []


def command(function):
    COMMANDS[function.__name__] = function
    return function


def on(event):
    def register(function):
        LISTENERS.setdefault(event, []).append(function)
        return function

    return register


class Plugin:
    def __init_subclass__(cls):
        PLUGINS.append(cls)


def start():
    return [listener() for listener in LISTENERS["start"]]

LIMIT = 3
HANDLERS = {}


def on(name):
    def add(function):
        HANDLERS[name] = function
        return function
    return add

class Bus:
    def __init__(self, prefix):
        self.prefix = prefix
        self.handlers = {}

    def on(self, name):
        def register(function):
            self.handlers[self.prefix + name] = function
            return function

        return register

    def add(self, name, function):
        self.handlers[self.prefix + name] = function


BUS = Bus("?")
CHECKS = [len]
SEEN = {"imports": 0}


def check(function):
    CHECKS.append(function)
    return function

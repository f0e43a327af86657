import functools


class Bus:
    def __init__(self):
        self.handlers = []
        self.calls = 0

    def on(self, priority):
        def register(function):
            @functools.wraps(function)
            def handler(value):
                self.calls += 1
                return priority, function(value)

            self.handlers.append(handler)
            return handler

        return register


BUS = Bus()

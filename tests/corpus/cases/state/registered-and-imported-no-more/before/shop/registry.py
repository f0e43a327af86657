ROUTES = {}


def route(path):
    def register(function):
        ROUTES[path] = function
        return function

    return register

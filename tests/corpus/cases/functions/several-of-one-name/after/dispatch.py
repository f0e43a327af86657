import functools

TABLE = {}


def when(kind):
    def register(function):
        @functools.wraps(function)
        def choose(value):
            return TABLE[function.__name__, type(value)].__wrapped__(value)

        TABLE[function.__name__, kind] = choose
        return choose

    return register

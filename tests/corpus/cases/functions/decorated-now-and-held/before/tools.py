import functools


def doubled(function):
    def wrapper(*args):
        return [function(*args)] * 2

    return wrapper


def named(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function.__name__, function(*args)

    return wrapper


def counted(function):
    calls = {function: 0}

    @functools.wraps(function)
    def wrapper(*args):
        calls[function] += 1
        return calls[function], function(*args)

    return wrapper

from functools import wraps


def variant(normal):
    def decorate(function):
        @wraps(normal)
        def wrapper(*args):
            return normal(*args)

        wrapper.coroutine = function
        return wrapper

    return decorate


def unique(items):
    return list(dict.fromkeys(items))


FILTERS = {"unique": unique}

import functools


def timed(f):
    @functools.wraps(f)
    def wrapper(*args: object) -> object:
        'Calls it.'
        result = f(*args)
        return result + 1

    return wrapper


@timed
def price(item: str) -> int:
    return 3


@timed
def bare():
    return 0

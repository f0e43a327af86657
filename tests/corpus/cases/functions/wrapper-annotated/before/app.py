import functools


def timed(f):
    @functools.wraps(f)
    def wrapper(*args):
        return f(*args)

    return wrapper


@timed
def price(item: str) -> int:
    return 3


@timed
def bare():
    return 0

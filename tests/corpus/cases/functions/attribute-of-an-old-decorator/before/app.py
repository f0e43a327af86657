import functools


def marked(kind):
    def mark(f):
        f.kind = kind
        f.is_marked = True
        return f

    return mark


def wrapped(f):
    @functools.wraps(f)
    def wrapper():
        return f()

    return wrapper


@marked("plain")
def one():
    return 1


@marked("plain")
def two():
    return 2


two.title = "Two"


@marked("plain")
def three():
    return 3

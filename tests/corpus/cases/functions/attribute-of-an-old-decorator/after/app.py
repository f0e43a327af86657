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


@wrapped
def one():
    return 1


def two():
    return 2


two.title = "Two"


@wrapped
@marked("other")
def three():
    return 3

import functools
def mark(f):
    @functools.wraps(f)
    def w(*a): return f(*a)
    return w
@mark
def f(a): return 1
TABLE = {"f": f}

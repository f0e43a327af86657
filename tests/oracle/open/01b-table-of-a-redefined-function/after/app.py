import functools
def mark(f):
    @functools.wraps(f)
    def w(*a): return f(*a)
    return w
@mark
def f(a: int = 2): return a
TABLE = {"f": f}

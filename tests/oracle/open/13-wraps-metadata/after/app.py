import functools
def deco(f):
    @functools.wraps(f)
    def wrapper(*a): return f(*a)
    return wrapper
@deco
def f(a):
    """Two."""
    return 2
@functools.lru_cache
def g():
    """Two."""
    return 1

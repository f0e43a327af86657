import functools
def deco(f):
    @functools.wraps(f)
    def wrapper(*a): return f(*a)
    return wrapper
@deco
def f(a):
    """One."""
    return 1
@functools.lru_cache
def g():
    """One."""
    return 1

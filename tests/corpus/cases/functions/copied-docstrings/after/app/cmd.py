import functools


def logged(f):
    @functools.wraps(f)
    def wrapper(*a):
        return f(*a)
    return wrapper


@logged
@functools.lru_cache
def sync(path):
    """Sync a path with the remote."""
    return path


class Disk:
    @property
    def free(self):
        """Free bytes."""
        return 1

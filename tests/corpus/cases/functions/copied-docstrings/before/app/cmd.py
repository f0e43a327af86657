import functools


def logged(f):
    @functools.wraps(f)
    def wrapper(*a):
        return f(*a)
    return wrapper


@logged
@functools.lru_cache
def sync(path):
    """Sync a path."""
    return path


class Disk:
    @property
    def free(self):
        """Bytes."""
        return 1

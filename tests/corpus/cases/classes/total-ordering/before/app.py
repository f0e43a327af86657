import functools


@functools.total_ordering
class Version:
    def __init__(self, n):
        self.n = n

    def __eq__(self, other):
        return self.n == other.n

    def __lt__(self, other):
        return self.n < other.n


@functools.total_ordering
class Plain:
    def __init__(self, n):
        self.n = n

    def __lt__(self, other):
        return self.n < other.n


OLDEST, NEWEST = Version(1), Version(2)

import functools
import sys

if sys.version_info >= (3, 30):
    P = object
else:
    LIMIT = 2

    class Meta(type):
        def __init__(cls, *args):
            super().__init__(*args)
            cls.seen = LIMIT

        def __instancecheck__(cls, other):
            return super().__instancecheck__(other)

    class P(metaclass=Meta):
        def go(self):
            return 2


class Q(P):
    pass


HELD = [Q(), P()]

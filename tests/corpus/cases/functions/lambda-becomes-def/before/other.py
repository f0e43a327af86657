import functools

from app import quick, slow

later = functools.partial(quick, 1)
LATER = [slow]

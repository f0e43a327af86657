from . import sub

LIMIT = sub.LIMIT

CACHE = {"old": 1}
LEVEL = 1


def level():
    return LEVEL

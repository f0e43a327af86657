def set_up():
    global CACHE, LEVEL
    CACHE = {"new": 2}
    LEVEL = 2


set_up()


def level():
    return LEVEL

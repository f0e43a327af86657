SEEN = []

path = "/base"
BASE = (path, 1)
path = "/shop"


def where():
    return BASE, path

SEEN = []

path = "/base"
BASE = (path, 2)
path = "/shop"


def where():
    return BASE, path

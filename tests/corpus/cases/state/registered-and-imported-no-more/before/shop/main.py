from shop import registry
from shop.registry import route


@route("/old")
def old():
    return "old"


def answer(path):
    found = registry.ROUTES.get(path)
    return found() if found else 404

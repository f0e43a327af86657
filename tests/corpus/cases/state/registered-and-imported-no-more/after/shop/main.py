from shop import registry


def answer(path):
    found = registry.ROUTES.get(path)
    return found() if found else 404

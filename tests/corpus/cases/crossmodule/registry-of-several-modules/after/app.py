ROUTES = []


def route(path, **options):
    def register(handler):
        ROUTES.append({"path": path, "handler": handler, **options})
        return handler

    return register


def paths():
    return [entry["path"] for entry in ROUTES]

class Store:
    limit = 1


def fetch():
    return "real"

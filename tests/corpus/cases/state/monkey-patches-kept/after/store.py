class Store:
    def get(self, key):
        return "new", key


def fetch():
    return "new"


def other():
    return 2

class Store:
    def get(self, key):
        return "old", key


def fetch():
    return "old"


def other():
    return 1

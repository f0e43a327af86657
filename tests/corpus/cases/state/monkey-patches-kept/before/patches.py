import store

original = store.Store.get


def get(self, key):
    return "traced", original(self, key)


def fetch():
    return "fake"


store.Store.get = get
store.fetch = fetch

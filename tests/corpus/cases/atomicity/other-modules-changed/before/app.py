import store


def get():
    return store.fetch(), store.Store.limit

def before():
    import app
    import store
    assert app.get() == ("real", 1)
    return app, store, store.fetch


def after(state):
    import json
    import os
    import sys

    app, store, fetch = state
    assert app.get() == ("real", 1)
    assert store.fetch is fetch
    assert not hasattr(store, "added")
    assert store.Store.__subclasses__() == []
    assert not hasattr(json, "patched_by_app")
    assert "/of/the/app" not in sys.path
    assert "PATCHED_BY_APP" not in os.environ

import json
import os
import sys

import store

store.fetch = lambda: "patched"
store.added = 1
store.Store.limit = 2
json.patched_by_app = True
sys.path.append("/of/the/app")
os.environ["PATCHED_BY_APP"] = "1"


class Special(store.Store):
    pass


def get():
    return store.fetch(), store.Store.limit


raise RuntimeError("too late")

CONFIG = {"timeout": 30, "db": {"host": "two", "ports": [5433]}}
NAMES = ["a", "b", "c"]
SEEN = ["it was emptied before, and filled since"]

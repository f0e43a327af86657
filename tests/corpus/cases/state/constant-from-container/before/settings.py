CONFIG = {"timeout": 3, "db": {"host": "one", "ports": [5432]}}
NAMES = ["a", "b"]
SEEN = []

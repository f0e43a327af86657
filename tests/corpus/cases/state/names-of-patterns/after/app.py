MODE = "fast"
POINT = [1, 2, 3]
match POINT:
    case [head, *tail]:
        pass
match {"a": 1, "b": 2}:
    case {"a": uno}:
        pass
TOTAL = [final := x for x in POINT]

match MODE:
    case "slow":
        def run():
            return "slow"
        ONLY_SLOW = True
    case "fast" | "faster":
        def run():
            return "fast"
    case _:
        run = None

try:
    LIMIT = {"slow": 1}[MODE]
except KeyError:
    LIMIT = 10

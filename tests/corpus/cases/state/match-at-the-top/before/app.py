MODE = "fast"

match MODE:
    case "fast":
        LIMIT = 10

        def run():
            return "fast"
    case _:
        LIMIT = 1

        def run():
            return "slow"

try:
    raise ExceptionGroup("start", [ValueError(1), TypeError(2)])
except* ValueError as group:
    FAILED = len(group.exceptions)
except* TypeError:
    KIND = "type"

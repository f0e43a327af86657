from settings import CONFIG, NAMES, SEEN

TIMEOUT = CONFIG["timeout"] * 2
HOST = CONFIG.get("db")["host"]
URL = f"db://{CONFIG['db']['host']}:{CONFIG['db']['ports'][0]}/"
COUNT = len(NAMES)
ALLOWED = frozenset(NAMES)
LINE = ", ".join(NAMES)
WAS_SEEN = len(SEEN)


def wait(seconds=CONFIG["timeout"]):
    return seconds


class Pool:
    kinds = ["tiny", "small", "big"]
    default = kinds[0]
    size = len(kinds)

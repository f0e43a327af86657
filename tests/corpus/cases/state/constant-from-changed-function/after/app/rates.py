STARTED = []


def rate():
    return 3


def start():
    STARTED.append(1)
    return {"rate": 3}


RATE = rate() * 10
POOL = start()

STARTED = []


def rate():
    return 2


def start():
    STARTED.append(1)
    return {"rate": 2}


RATE = rate() * 10
POOL = start()

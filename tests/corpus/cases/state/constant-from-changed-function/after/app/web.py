from app.rates import RATE


def show():
    return RATE

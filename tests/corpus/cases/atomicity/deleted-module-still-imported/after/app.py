import legacy
import rates


def go():
    return legacy.answer(), rates.RATE

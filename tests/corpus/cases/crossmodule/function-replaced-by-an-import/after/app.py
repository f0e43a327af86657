from rates import rate

RATE = rate() * 10


def price(amount):
    return amount * RATE

def rate():
    return 2


RATE = rate() * 10


def price(amount):
    return amount * RATE

FEE = 5


def rate():
    return 3


def scaled(amount):
    return amount * rate()

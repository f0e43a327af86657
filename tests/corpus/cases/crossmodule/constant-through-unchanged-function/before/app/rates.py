FEE = 1


def rate():
    return 2


def scaled(amount):
    return amount * rate()

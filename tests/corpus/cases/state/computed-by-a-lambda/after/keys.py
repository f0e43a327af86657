rank = lambda item: -item[1]


def price(item):
    return -item[1]

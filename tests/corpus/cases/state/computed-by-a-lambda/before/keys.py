rank = lambda item: item[0]


def price(item):
    return item[1]

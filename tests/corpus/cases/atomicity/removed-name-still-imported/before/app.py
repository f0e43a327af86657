from tools import clean, shorten


def go(text):
    return clean(text), shorten(text)

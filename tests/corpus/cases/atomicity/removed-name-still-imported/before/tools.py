def clean(text):
    return "old"


def shorten(text):
    return "old"

def pair(first):
    return (first, 3)


start = "two"
PAIR = (start, 3)
MADE = pair(start)

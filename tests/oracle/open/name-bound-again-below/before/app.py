start = "two"
PAIR = (start, 3)

start = "two"
PAIR = (start, 3)
start = None

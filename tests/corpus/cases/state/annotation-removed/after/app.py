x2: int = 1
y = 2

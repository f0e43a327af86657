LIMIT = 10
KIND = int

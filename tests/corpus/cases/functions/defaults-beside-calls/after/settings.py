LIMIT = 500
KIND = float

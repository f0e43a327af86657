from errors import AppError, NotFound


def get(key):
    raise NotFound(key)

from functools import wraps


def variant(normal):
    def decorate(function):
        @wraps(normal)
        def wrapper(*args):
            return normal(*args)

        wrapper.coroutine = function
        return wrapper

    return decorate


def sync_unique(items):
    return sorted(set(items))


@variant(sync_unique)
async def unique(items):
    return sync_unique(items)


FILTERS = {"unique": unique}

def internal(function):
    function.internal = True
    return function


@internal
def sweep():
    return 1


def commands():
    return [f.__name__ for f in (sweep,) if not getattr(f, "internal", False)]

def traced(function):
    def wrapper(*args):
        return "TRACED", function(*args)

    return wrapper


def first(number):
    return number + 1


def second(number):
    return number + 2


for name in ("first", "second"):
    globals()[name] = traced(globals()[name])

def traced(function):
    def wrapper(*args):
        return "traced", function(*args)

    return wrapper


def first(number):
    return number


def second(number):
    return number


for name in ("first", "second"):
    globals()[name] = traced(globals()[name])

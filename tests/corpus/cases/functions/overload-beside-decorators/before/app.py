import typing


def nested(*kinds):
    def wrap(function):
        def walk(items):
            found = [walk(item) if isinstance(item, kinds) else item for item in items]
            return function(found), walk

        return walk

    return wrap


def marked(function):
    function.mark = 1
    return function


@typing.overload
def size(items: list) -> int: ...
@typing.overload
def size(items: tuple) -> int: ...
@marked
def size(items):
    return len(items)


@typing.overload
def first(items: list) -> int: ...
@typing.overload
def first(items: tuple) -> int: ...
@nested(list)
def first(items):
    return items[0]


TABLE = {"size": size, "first": first}

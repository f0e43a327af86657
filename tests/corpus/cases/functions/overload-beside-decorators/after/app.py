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
def size(items: list, more: int) -> int: ...
@typing.overload
def size(items: tuple) -> int: ...
@marked
def size(items, more=1):
    return len(items) + more


@typing.overload
def first(items: list, more: int) -> int: ...
@typing.overload
def first(items: tuple) -> int: ...
@nested(list, tuple)
def first(items, at=-1):
    return items[at]


TABLE = {"size": size, "first": first}

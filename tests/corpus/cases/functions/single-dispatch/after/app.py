import functools


@functools.singledispatch
def show(x):
    return "any"


@show.register
def _(x: int):
    return "new int"


@show.register
def _(x: list):
    return "list"


class Printer:
    @functools.singledispatchmethod
    def show(self, x):
        return "any"

    @show.register
    def _(self, x: int):
        return "new int"

    @show.register
    def _(self, x: list):
        return "list"

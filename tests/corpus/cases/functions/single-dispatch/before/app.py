import functools


@functools.singledispatch
def show(x):
    return "any"


@show.register
def _(x: int):
    return "int"


@show.register
def _(x: str):
    return "str"


class Printer:
    @functools.singledispatchmethod
    def show(self, x):
        return "any"

    @show.register
    def _(self, x: int):
        return "int"

    @show.register
    def _(self, x: str):
        return "str"

    @show.register(bytes)
    def _bytes(self, x):
        return "bytes"

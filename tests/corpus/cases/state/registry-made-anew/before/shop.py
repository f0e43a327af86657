import functools

from bus import BUS, SEEN, check

SEEN["imports"] += 1


def logged(function):
    @functools.wraps(function)
    def call(*args):
        return "log", function(*args)

    return call


@BUS.on("buy")
@logged
def buy(what):
    return what


def sell(what):
    return what


BUS.add("sell", sell)


@check
def size(what):
    return len(what)


class Till:
    @BUS.on("open")
    def open(self):
        return "open"

import functools
import operator
import weakref
from collections import defaultdict


class Bus:
    def on(self, event, times=2):
        return "new", event, times


def double(number):
    return number * 3


def compare(one, other):
    return other - one


def fresh():
    return ["new"]


BUS = Bus()
WEAK = weakref.WeakMethod(BUS.on)
CALL = operator.methodcaller("on", "start")
KEY = functools.cmp_to_key(compare)
TABLE = defaultdict(fresh)
LOOP = {}
for sign in ("+", "*"):
    LOOP[sign] = lambda number, sign=sign: f"{sign} {number}"

import functools
import operator
import weakref
from collections import defaultdict


class Bus:
    def on(self, event):
        return "old", event


def double(number):
    return number * 2


def compare(one, other):
    return one - other


def fresh():
    return ["old"]


BUS = Bus()
WEAK = weakref.WeakMethod(BUS.on)
CALL = operator.methodcaller("on", "start")
KEY = functools.cmp_to_key(compare)
TABLE = defaultdict(fresh)
LOOP = {}
for sign in ("+", "-"):
    LOOP[sign] = lambda number, sign=sign: f"{sign}{number}"

from dataclasses import dataclass
from typing import NamedTuple


def shown(cls):
    def show(self):
        return f"<{cls.__name__}>"
    cls.__repr__ = show
    return cls


@shown
class Point(NamedTuple):
    x: int = 1
    y: int = 2


@shown
@dataclass
class Line:
    length: int = 1
    width: int = 3

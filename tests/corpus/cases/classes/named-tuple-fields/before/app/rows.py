from typing import NamedTuple


class Row(NamedTuple):
    key: str
    count: int = 0


class Point(NamedTuple):
    x: int
    y: int

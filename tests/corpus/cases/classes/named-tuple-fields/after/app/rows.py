from typing import NamedTuple


class Row(NamedTuple):
    key: str
    count: int = 0
    unit: str = "kg"


class Point(NamedTuple):
    name: str
    x: int

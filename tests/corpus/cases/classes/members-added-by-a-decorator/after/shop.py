from dataclasses import dataclass


def shown(cls):
    def describe(self):
        return f"<{self.name}>"

    cls.__repr__ = describe
    return cls


def compared(cls):
    def same(self, other):
        return self.code == other.code

    cls.__eq__ = same
    return cls


@shown
@dataclass(repr=False)
class Item:
    name: str = "pen"
    price: int = 2


@compared
class Order:
    kind = "order"

    def __init__(self, code):
        self.code = code


class Line:
    __slots__ = ("count", "code")
    __attrs_attrs__ = ()

    def __init__(self, code):
        self.code = code


Line = compared(Line)

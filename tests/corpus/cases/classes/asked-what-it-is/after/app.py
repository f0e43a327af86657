import abc


class Sized(abc.ABC):
    @classmethod
    def __subclasshook__(cls, other):
        return True if hasattr(other, "weight") else NotImplemented


class Box:
    size = 1


class Bag:
    weight = 1


Sized.register(int)

from .goods import Item

__all__ = ["Item"]


def __getattr__(name):
    raise AttributeError(name)

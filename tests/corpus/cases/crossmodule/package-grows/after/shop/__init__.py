import importlib

from .goods import Item
from .offers import Offer

__all__ = ["Item", "Offer"]


def __getattr__(name):
    if name == "stock":
        return importlib.import_module(".stock", __name__)
    raise AttributeError(name)

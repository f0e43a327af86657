from .. import Item
from . import NAME


def describe():
    return NAME, Item().show(), __package__

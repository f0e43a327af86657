import typing

from app import Item


class Order(Item):
    count: int


class Gift(Order, total=False):
    card: str

import typing


class Item(typing.TypedDict):
    name: bytes
    price: int

import typing


class Item(typing.TypedDict):
    name: str

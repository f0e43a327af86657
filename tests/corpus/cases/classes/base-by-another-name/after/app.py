import typing

import kinds

T = typing.TypeVar("T", bound=str)


class Mixin:
    pass


class Store(kinds.Base, Mixin):
    pass


class Shop(Store):
    def who(self):
        return f"shop of {super().who()}"


class Stack(typing.Generic[T]):
    def push(self, item: T) -> None:
        self.item = item


STORE, SHOP = Store(), Shop()

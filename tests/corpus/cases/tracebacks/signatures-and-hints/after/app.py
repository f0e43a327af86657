def price(amount: int, /, rate: "str" = 3, *more, fee=4, kind: list[int] | None = None, **rest) -> dict:
    """Second."""
    return amount


class Shop:
    async def sell(self, item: str, shop: "Shop" = None) -> bytes:
        """Sells later."""
        return b""

def price(amount, rate=1, *, fee=2):
    """First."""
    return amount


class Shop:
    def sell(self, item: int) -> str:
        """Sells."""
        return ""

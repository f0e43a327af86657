A = 1


class Item:
    pass


__all__ = ["A", "Item"]

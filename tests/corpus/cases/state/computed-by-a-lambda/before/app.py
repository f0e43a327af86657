from keys import price, rank

ITEMS = (("b", 1), ("c", 3), ("a", 2))
NAMES = tuple(name for name, _ in sorted(ITEMS, key=lambda item: item[0]))
RANKED = tuple(sorted(ITEMS, key=rank))
BY_PRICE = tuple(sorted(ITEMS, key=price))
TOP = max(ITEMS, key=price)
half = lambda n: n / 2
SHARE = half(8)


class Page:
    grow = lambda n: n + 1
    SIZE = grow(9)

class Pool:
    made = 0

    def __init__(self):
        Pool.made += 1


first: str | None = None
pool: Pool = Pool()
size: float = 1
gone = 2
same: int = 3


def use():
    global first
    first = first or "used"


use()

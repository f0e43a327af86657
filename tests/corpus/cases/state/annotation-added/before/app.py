class Pool:
    made = 0

    def __init__(self):
        Pool.made += 1


first = None
pool = Pool()
size: int = 1
gone: int = 2
same: int = 3


def use():
    global first
    first = first or "used"


use()

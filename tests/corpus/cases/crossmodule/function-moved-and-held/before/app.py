RATE = 2


def convert(amount):
    return amount * RATE


async def fetch():
    return "old"

from deco import repeat


@repeat(3)
def send(to):
    return f"to {to}"


ACTIONS = {"send": send}

from deco import repeat


@repeat(1)
def send(to):
    return f"to {to}"


ACTIONS = {"send": send}

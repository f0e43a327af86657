from dispatch import when


@when(int)
def shown(value, width=8):
    return "number", value, width


@when(str)
def shown(value, width=8):
    return "text", value, width

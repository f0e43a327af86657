from dispatch import when


@when(int)
def shown(value):
    return "number", value


@when(str)
def shown(value):
    return "text", value

from bus import BUS


@BUS.on(1)
def paid(value):
    return value


@BUS.on(1)
def sent(value):
    return value

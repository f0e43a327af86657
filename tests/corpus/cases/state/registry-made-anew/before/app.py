import bus
import shop


@bus.BUS.on("quit")
def leave():
    return "quit"


def other():
    return "other"


for function in (leave, other):
    bus.BUS.add(function.__name__, function)


def handle(name, *args):
    return bus.BUS.handlers[name](*args)

class Button:
    def __init__(self):
        self.on_click = None


slow = lambda x: ("new", x)


def quick(x, times=1):
    """Quick no more."""
    return ("new", x * times)


BUTTON = Button()
BUTTON.on_click = quick
TABLE = {"quick": quick, "slow": slow}


class Rates:
    def half(self, x):
        return ("new", x)

    double = lambda self, x: ("new", x)

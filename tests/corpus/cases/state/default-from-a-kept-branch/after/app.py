FANCY = True


class Fancy:
    def __init__(self, mark):
        self.mark = mark

    def __call__(self, text):
        return f"{self.mark} {text}"


fancy = Fancy("#")


def plain(text):
    return text


if FANCY:
    default = fancy
else:
    default = plain


class Printer:
    def __init__(self, width=1, shown=default, color=None):
        self.width = width
        self.shown = shown
        self.color = color


def show(text):
    return Printer().shown(text)

class Rule:
    def __init__(self, name):
        self.name = name


def made(names):
    return [Rule(name).name for name in names]


BUILTIN = made(["a"])
KINDS = dict(zip(made(["a"]), [1]))


def find():
    return list(BUILTIN), dict(KINDS)

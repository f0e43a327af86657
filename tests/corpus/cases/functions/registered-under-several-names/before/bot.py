import functools
HANDLERS, ALL, META, LEVELS, ORDER, PLUGINS = {}, set(), {}, {}, [], {}


def command(name, *aliases, level=1):
    def deco(f):
        for n in (name, *aliases):
            HANDLERS[n] = f
        ALL.add(f)
        META[f] = "admin"
        LEVELS[f] = level
        if f not in ORDER:
            ORDER.append(f)
        return f
    return deco


def wrapped(*names):
    def deco(f):
        @functools.wraps(f)
        def run(*a):
            return "wrapped", f(*a)
        for n in names:
            HANDLERS[n] = run
        if run not in ORDER:
            ORDER.append(run)
        ALL.add(run)
        return run
    return deco


def plugin(*names):
    def deco(cls):
        for n in names:
            PLUGINS[n] = cls
        ALL.add(cls)
        return cls
    return deco


def register(f, *names):
    for n in names:
        HANDLERS[n] = f
    ALL.add(f)


@command("start", "s")
def start(arg):
    return 1


@wrapped("w1", "w2")
def w(x):
    return x


@plugin("p1", "p2")
class P:
    pass


@command("echo")
def echo(arg):
    pass


def plain():
    pass


register(plain, "pa", "pb")

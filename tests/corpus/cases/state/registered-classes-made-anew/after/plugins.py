HOOKED = {"none": None}
NAMED = {"none": None}
MADE = {"none": None}


class Plugin:
    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        HOOKED[cls.__name__] = cls


class Kind(type):
    def __new__(mcs, name, bases, body):
        cls = super().__new__(mcs, name, bases, body)
        MADE[name] = cls
        return cls


def named(name):
    def register(cls):
        NAMED[name] = cls
        return cls

    return register

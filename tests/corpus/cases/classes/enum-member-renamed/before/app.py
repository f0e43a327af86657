import enum


class Status(enum.Enum):
    OPEN = 1
    DONE = 2
    GONE = 3


class Kind(enum.StrEnum):
    SMALL = "s"


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Order:
    def __init__(self):
        self.status = Status.OPEN
        self.kind = Kind.SMALL
        self.rights = Right.READ | Right.WRITE
        self.old = Status.GONE

    def is_open(self):
        return self.status is Status.OPEN


ORDER = Order()

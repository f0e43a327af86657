import enum


class Status(enum.Enum):
    WAITING = 1
    DONE = 2
    LATE = 4


class Kind(enum.StrEnum):
    LITTLE = "s"


class Right(enum.Flag):
    READ = 1
    WRITE = 2
    OWN = 4
    ALL = 3


class Order:
    def __init__(self):
        self.status = Status.WAITING
        self.kind = Kind.LITTLE
        self.rights = Right.READ | Right.WRITE
        self.old = None

    def is_open(self):
        return self.status is Status.WAITING


ORDER = Order()

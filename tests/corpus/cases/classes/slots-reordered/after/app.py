class Point:
    __slots__ = ["y", "x"]

    def __init__(self, x, y):
        self.x, self.y = x, y

    def shown(self):
        return tuple(getattr(self, name) for name in self.__slots__)

class Shop:
    @property
    def size(self):
        return 1

    def set_size(self, value):
        self.got = value

    size = size.setter(set_size)

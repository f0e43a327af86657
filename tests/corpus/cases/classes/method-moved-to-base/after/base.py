class Base:
    name = "base"

    def run(self):
        return self.name, type(self).__name__

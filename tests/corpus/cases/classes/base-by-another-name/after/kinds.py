class Plain:
    def who(self):
        return "plain"


class Cached:
    def who(self):
        return "cached"


Base = Cached

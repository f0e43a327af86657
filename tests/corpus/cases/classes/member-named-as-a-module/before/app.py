import re


class Word:
    @property
    def re(self):
        return re.compile("a")


live = Word()
